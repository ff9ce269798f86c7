#include "espalier/pipeline/track/item_history.hpp"

#include <algorithm>

namespace espalier::pipeline {
namespace {

constexpr std::size_t recent_limit = 64;

bool leaves_open(const TrackEvent& event) {
  switch (event.status) {
    case Status::failed:
    case Status::skipped:
    case Status::cancelled:
      return false;
    case Status::completed:
      return event.node != output_node;
    case Status::queued:
    case Status::in_progress:
    case Status::retrying:
      break;
  }
  return true;
}

}  // namespace

void ItemHistory::start(Naming naming) {
  *this = ItemHistory(limits_);
  naming_ = std::move(naming);
}

const ItemHistory::Block* ItemHistory::block_of(ItemSeq seq) const {
  const auto at = blocks_.find(seq / block_size);
  if (at == blocks_.end() || !at->second.items[seq % block_size].known) return nullptr;
  return &at->second;
}

bool ItemHistory::is_mere_exit(const TrackEvent& event, const Span& span) const {
  if (event.node != output_node) return false;
  const auto at = blocks_.find(span.block);
  if (at == blocks_.end()) return false;
  for (std::size_t item = span.first; item <= span.last; ++item) {
    const ItemState& before = at->second.items[item];
    const bool skipped_last = event.status == Status::completed && before.status == Status::skipped;
    if (!before.known || (before.status != event.status && !skipped_last)) return false;
  }
  return true;
}

bool ItemHistory::apply(const TrackEvent& event) {
  bool is_news = false;
  for_each_span(event, [&](const Span& span) {
    const bool is_exit = is_mere_exit(event, span);
    apply(event, span, !is_exit);
    is_news = is_news || !is_exit;
  });
  if (is_news) {
    if (event.status == Status::failed) add_failure(event);
    recent_.emplace_back(event.seq, event.count);
    if (recent_.size() > recent_limit) recent_.pop_front();
  }
  return is_news;
}

template <class Do>
void ItemHistory::for_each_span(const TrackEvent& event, Do act) {
  ItemSeq seq = event.seq;
  for (std::uint64_t left = event.count; left > 0;) {
    const std::size_t first = seq % block_size;
    const auto size = std::min<std::uint64_t>(left, block_size - first);
    act(Span{seq / block_size, first, first + size - 1});
    seq += size;
    left -= size;
  }
}

// Most events are of the block of the event before.
ItemHistory::Block& ItemHistory::block_for(std::uint64_t number) {
  if (latest_ == nullptr || latest_number_ != number) {
    latest_ = &blocks_[number];
    latest_number_ = number;
  }
  return *latest_;
}

void ItemHistory::apply(const TrackEvent& event, const Span& span, bool is_news) {
  Block& block = block_for(span.block);
  if (block.known > 0 && block.open == 0) ended_.erase({block.ended, span.block});
  const bool open = leaves_open(event);
  for (std::size_t item = span.first; item <= span.last; ++item) {
    set(block, item, is_news ? event.status : block.items[item].status, open);
  }
  learn(block, event, span);
  if (is_news) remember(block, event, span);
  if (block.open == 0) {
    block.ended = event.at;
    ended_.emplace(block.ended, span.block);
    if (block.known == block_size) block.records.shrink_to_fit();
  }
}

void ItemHistory::set(Block& block, std::size_t item, Status status, bool open) {
  ItemState& state = block.items[item];
  if (state.known) {
    --stats_[state.status];
    block.open -= state.open ? 1 : 0;
  } else {
    ++block.known;
    ++kept_;
  }
  state = {status, true, open};
  ++stats_[status];
  block.open += open ? 1 : 0;
}

void ItemHistory::remember(Block& block, const TrackEvent& event, const Span& span) {
  if (block.records.size() == block_records) halve(block);
  Record record{event.at,
                event.took,
                event.worker,
                event.node,
                event.attempt,
                0,
                event.status,
                static_cast<std::uint8_t>(span.first),
                static_cast<std::uint8_t>(span.last)};
  if (event.error) {
    block.errors.push_back(event.error);
    record.error = static_cast<std::uint16_t>(block.errors.size());
  }
  block.records.push_back(record);
}

// Every record names its own error, in order, so there are never more errors than records.
void ItemHistory::halve(Block& block) {
  constexpr std::ptrdiff_t half = block_records / 2;
  block.records.erase(block.records.begin(), block.records.begin() + half);
  const auto named = std::find_if(block.records.begin(), block.records.end(),
                                  [](const Record& record) { return record.error > 0; });
  const std::size_t gone =
      named == block.records.end() ? block.errors.size() : named->error - std::size_t{1};
  block.errors.erase(block.errors.begin(),
                     block.errors.begin() + static_cast<std::ptrdiff_t>(gone));
  for (Record& record : block.records) {
    if (record.error > 0) record.error = static_cast<std::uint16_t>(record.error - gone);
  }
}

void ItemHistory::learn(Block& block, const TrackEvent& event, const Span& span) {
  if (!event.info) return;
  if (!block.infos) {
    block.infos = std::make_unique<std::array<std::shared_ptr<const ItemInfo>, block_size>>();
  }
  auto& info = (*block.infos)[span.first];
  if (info) return;
  info = event.info;
  if (info->id.empty()) return;
  ids_.erase(info->id);  // Its key lies in an older item of the same id.
  ids_.emplace(info->id, event.seq);
}

void ItemHistory::add_failure(const TrackEvent& event) {
  static const Error unknown{"", "unknown"};
  const Error& error = event.error ? *event.error : unknown;
  const std::string& type = error.second.empty() ? unknown.second : error.second;
  const std::string stage = naming_.stage(event.node);
  totals_.total_failed += event.count;
  totals_.by_type[type] += event.count;
  totals_.by_stage[stage] += event.count;
  for (ItemSeq seq = event.seq; seq < event.seq + event.count; ++seq) {
    const bool has_id = event.info && !event.info->id.empty();
    failed_.push_back({has_id ? event.info->id : std::to_string(seq), seq, stage, error.first, type,
                       event.attempt, event.at, naming_.wall(event.at)});
    if (failed_.size() > limits_.failed) failed_.pop_front();
  }
}

void ItemHistory::expand(const TrackEvent& event, std::vector<StatusEvent>& into) const {
  for (ItemSeq seq = event.seq; seq < event.seq + event.count; ++seq) {
    const auto at = blocks_.find(seq / block_size);
    if (at == blocks_.end()) continue;
    auto last = last_of(at->first, at->second, seq % block_size);
    if (last) into.push_back(std::move(*last));
  }
}

void ItemHistory::drop(std::map<std::uint64_t, Block>::iterator at) {
  const Block& block = at->second;
  for (std::size_t item = 0; item < block_size; ++item) {
    // What is open will be counted when it is heard of again.
    if (block.items[item].open) --stats_[block.items[item].status];
    if (!block.infos || !(*block.infos)[item]) continue;
    const auto id = ids_.find((*block.infos)[item]->id);
    if (id != ids_.end() && id->second == at->first * block_size + item) ids_.erase(id);
  }
  if (latest_ == &block) latest_ = nullptr;
  kept_ -= block.known;
  forgotten_ += block.known;
  ended_.erase({block.ended, at->first});
  blocks_.erase(at);
}

void ItemHistory::forget(TimePoint now) {
  while (kept_ > limits_.items && blocks_.size() > 1) {
    drop(ended_.empty() ? blocks_.begin() : blocks_.find(ended_.begin()->second));
  }
  if (limits_.age <= Duration::zero()) return;
  while (!ended_.empty() && ended_.begin()->first + limits_.age <= now) {
    drop(blocks_.find(ended_.begin()->second));
  }
}

}  // namespace espalier::pipeline
