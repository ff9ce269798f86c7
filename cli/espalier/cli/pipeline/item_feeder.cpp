#include "espalier/cli/pipeline/item_feeder.hpp"

#include "espalier/pipeline/declare/json_text.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

namespace espalier::cli {
namespace pl = espalier::pipeline;
namespace {

constexpr std::size_t lines_at_once = 256;

/// FNV-1a: the same text, the same sum, in every release.
std::string sum_of(std::string_view text) {
  std::uint64_t sum = 14695981039346656037ULL;
  for (const char c : text)
    sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  char out[17] = {};
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(sum));
  return out;
}

}  // namespace

ItemFeeder::ItemFeeder(pl::Runner& runner, pl::CheckpointStore* store, DeadLetterFile& letters,
                       Sources sources)
    : runner_(runner), store_(store), letters_(letters), sources_(std::move(sources)) {}

ItemFeeder::~ItemFeeder() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void ItemFeeder::start() {
  thread_ = std::thread([this] { run(); });
}

void ItemFeeder::stop() {
  stop_ = true;
  if (sources_.lines) sources_.lines->stop();
}

ItemFeeder::Report ItemFeeder::wait() {
  if (thread_.joinable()) thread_.join();
  return report_;
}

void ItemFeeder::run() {
  try {
    if (sources_.resume && store_ != nullptr) feed_resumed();
    if (sources_.lines) feed_lines();
  } catch (const std::exception& error) {  // The checkpoint cannot be written or read.
    report_.problem = error.what();
    report_.not_written = true;
  }
  if (sources_.lines) {
    if (!left_some_) report_.lines = sources_.lines->count();
    if (report_.problem.empty()) report_.problem = sources_.lines->problem();
  }
  runner_.close_input();
}

void ItemFeeder::feed_resumed() {
  for (auto& stored : store_->resume()) {
    if (stop_) return;
    const auto node = runner_.find(stored.stage);
    std::vector<Fed> one;
    one.push_back({node.value_or(0), 0, {stored.key, 0, std::move(stored.value.as<pl::Json>())}});
    feed(std::move(one));
    ++report_.resumed;
  }
}

void ItemFeeder::feed_lines() {
  while (!stop_ && report_.problem.empty()) {
    const auto lines = sources_.lines->next(lines_at_once);
    if (lines.empty()) return;
    in_batch_.clear();
    std::vector<Fed> items;
    for (const auto& line : lines) {
      auto item = sources_.are_dead_letters ? read_letter(line) : read(line);
      if (item && is_wanted(item->item.id)) items.push_back(std::move(*item));
    }
    feed(std::move(items));
  }
}

void ItemFeeder::refuse(const ItemLines::Line& line, const std::string& why) {
  ++report_.unreadable;
  if (letters_.add(letter_of_line(line, why))) return;
  report_.problem = "cannot write dead letters to " + letters_.path();
  report_.not_written = true;
}

std::optional<ItemFeeder::Fed> ItemFeeder::read(const ItemLines::Line& line) {
  auto item = read_incoming(line, sources_.id_field);
  if (!item) {
    refuse(line, item.error());
    return std::nullopt;
  }
  if (store_ != nullptr && sources_.id_field.empty()) item->id += "-" + sum_of(line.text);
  return Fed{0, line.number, std::move(*item)};
}

std::optional<ItemFeeder::Fed> ItemFeeder::read_letter(const ItemLines::Line& line) {
  auto letter = DeadLetter::parse(line.text);
  if (!letter) {
    refuse(line, "line " + std::to_string(line.number) + ": " + letter.error());
    return std::nullopt;
  }
  if (!letter->input) {
    auto item = read({letter->line, letter->text, false});
    if (item) item->read_from = line.number;
    return item;
  }
  const auto node =
      letter->stage.empty() ? std::optional<pl::NodeId>(0) : runner_.find(letter->stage);
  if (!node) {
    refuse(line, "line " + std::to_string(line.number) + ": the pipeline has no stage " +
                     letter->stage + ", where this item failed");
    return std::nullopt;
  }
  if (letter->id.empty()) letter->id = "replay-" + std::to_string(line.number);
  if (store_ != nullptr) store_->replay({letter->id});
  return Fed{*node, line.number, {letter->id, letter->line, std::move(*letter->input)}};
}

bool ItemFeeder::is_wanted(const std::string& id) {
  if (store_ == nullptr) return true;
  const auto known = store_->find(id);
  const bool replayed = sources_.are_dead_letters && known == pl::CheckpointStore::Known::open;
  const bool wanted = known == pl::CheckpointStore::Known::no || replayed;
  if (wanted && in_batch_.insert(id).second) return true;
  ++report_.done_before;
  return false;
}

void ItemFeeder::feed(std::vector<Fed> fed) {
  std::size_t done = 0;
  while (done < fed.size() && !stop_) {
    const auto node = fed[done].node;
    std::vector<pl::Item> items;
    for (auto i = done; i < fed.size() && fed[i].node == node; ++i) {
      items.push_back(make_item(std::move(fed[i].item), runner_.plan().nodes[node].name,
                                sources_.priority_field));
    }
    const auto result = runner_.feed(node, std::move(items));
    done += result.count;
    if (result.fed != pl::Runner::Fed::accepted) stop_ = true;
  }
  // What was read and not taken is to be read again.
  if (done == fed.size() || fed[done].read_from == 0) return;
  left_some_ = true;
  report_.lines = fed[done].read_from - 1;
}

}  // namespace espalier::cli
