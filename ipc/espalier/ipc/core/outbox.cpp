#include "espalier/ipc/core/outbox.hpp"

#include "espalier/ipc/wire/codec.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace espalier::ipc {
namespace {

// What a large line took is given back once it is sent.
constexpr std::size_t kept_capacity = 512UL * 1024;

}  // namespace

// A gap line has no size until it is written: there is at most one for each subscription.
std::size_t Outbox::Line::size() const {
  return lost_count != 0 ? 0 : head.size() + (tail ? tail->size() : 0) + 1;
}

bool Outbox::answer(std::string line) {
  lines_.push_back({.head = std::move(line)});
  waiting_ += lines_.back().size();
  answers_ += lines_.back().size();
  if (make_room()) return true;
  waiting_ -= lines_.back().size();
  answers_ -= lines_.back().size();
  lines_.pop_back();
  return false;
}

void Outbox::push(const std::string& subscription_id, std::string head,
                  std::shared_ptr<const std::string> tail, std::uint64_t sequence,
                  std::uint64_t first) {
  lines_.push_back({.head = std::move(head),
                    .tail = std::move(tail),
                    .subscription_id = subscription_id,
                    .sequence = sequence,
                    .first = first != 0 ? first : sequence});
  waiting_ += lines_.back().size();
  pushed_.push_back(std::prev(lines_.end()));
  if (pushed_.size() > max_pushed_) lose_oldest();
  static_cast<void>(make_room());  // If need be the new one goes too, after those before it.
}

std::size_t Outbox::fill() const {
  constexpr std::size_t full = 1000;
  const auto part = [](std::size_t waits, std::size_t most) {
    return std::min(waits, most) * full / std::max<std::size_t>(most, 1);
  };
  return std::max(part(bytes(), max_bytes_), part(pushed_.size(), max_pushed_));
}

void Outbox::drop(const std::string& subscription_id) {
  std::erase_if(pushed_, [&](Place p) { return p->subscription_id == subscription_id; });
  gaps_.erase(subscription_id);
  std::erase_if(lines_, [&](const Line& line) {
    const bool goes = !line.subscription_id.empty() && line.subscription_id == subscription_id;
    if (goes) waiting_ -= line.size();
    return goes;
  });
}

bool Outbox::make_room() {
  if (waiting_ <= max_bytes_) return true;
  if (written_ == writing_.size()) {  // The reader has kept up.
    static_cast<void>(pending(std::numeric_limits<std::size_t>::max()));
    return true;
  }
  while (waiting_ > max_bytes_ && !pushed_.empty())
    lose_oldest();
  return waiting_ <= max_bytes_;
}

// Always the oldest of all, so nothing of its subscription waits before it, unless a gap line that
// this one can join.
void Outbox::lose_oldest() {
  const auto line = pushed_.front();
  pushed_.pop_front();
  ++dropped_;
  waiting_ -= line->size();
  const auto [found, is_new] = gaps_.try_emplace(line->subscription_id, line);
  const auto gap = found->second;
  ++gap->lost_count;
  if (gap->lost_from == 0) gap->lost_from = line->first;
  if (line->sequence != 0) gap->lost_to = line->sequence;
  if (is_new) {
    std::string{}.swap(line->head);
    line->tail.reset();
  } else {
    lines_.erase(line);
  }
}

std::string_view Outbox::pending(std::size_t limit) {
  if (written_ == writing_.size()) {
    if (writing_.capacity() > kept_capacity) std::string{}.swap(writing_);
    writing_.clear();
    written_ = 0;
    while (!lines_.empty() && writing_.size() < limit)
      take_first();
  }
  return std::string_view{writing_}.substr(written_, limit);
}

void Outbox::take_first() {
  auto& line = lines_.front();
  waiting_ -= line.size();
  if (line.subscription_id.empty()) answers_ -= line.size();
  if (line.lost_count != 0) {
    encode(writing_, GapPush{.subscription_id = line.subscription_id,
                             .from = line.lost_from,
                             .to = line.lost_to,
                             .count = line.lost_count,
                             .reason = "slow_reader"});
    gaps_.erase(line.subscription_id);
  } else {
    if (writing_.empty()) {
      writing_.swap(line.head);  // Not copied: it may be a tree of megabytes.
    } else {
      writing_ += line.head;
    }
    if (line.tail) writing_ += *line.tail;
    if (!line.subscription_id.empty()) pushed_.pop_front();
  }
  writing_ += '\n';
  lines_.pop_front();
}

void Outbox::sent(std::size_t bytes) {
  written_ += std::min(bytes, writing_.size() - written_);
}

bool Outbox::empty() const {
  return lines_.empty() && written_ == writing_.size();
}

}  // namespace espalier::ipc
