#include "espalier/pipeline/core/internal/gather.hpp"

#include "espalier/pipeline/core/internal/failures.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace espalier::pipeline {

Duration Gather::time() const {
  return plan_->kind == NodeKind::batch ? plan_->batch.time : plan_->window.time;
}

bool Gather::by_time() const {
  return time() > Duration::zero();
}

std::size_t Gather::step() const {
  const auto& window = plan_->window;
  return window.step > 0 ? window.step : window.size;
}

bool Gather::push(Item& item, TimePoint now) {
  if (to_skip_ > 0) {
    --to_skip_;
    return false;
  }
  const auto weighs = plan_->kind == NodeKind::batch && plan_->batch.bytes > 0 && plan_->size_of;
  const auto bytes = weighs ? plan_->size_of(item.value) : 0;
  waiting_.push_back({std::move(item), now, bytes});
  scan();
  return true;
}

// Takes entries into the next batch until it is full.
void Gather::scan() {
  if (plan_->kind != NodeKind::batch) return;
  const auto& limits = plan_->batch;
  for (; !full_ && scanned_ < waiting_.size(); ++scanned_) {
    bytes_ += waiting_[scanned_].bytes;
    full_ = (limits.count > 0 && scanned_ + 1 >= limits.count) ||
            (limits.bytes > 0 && bytes_ >= limits.bytes);
  }
}

std::size_t Gather::window_by_time(TimePoint now) const {
  const auto end = waiting_.front().entered + time();
  std::size_t count = 0;
  while (count < waiting_.size() && waiting_[count].entered < end)
    ++count;
  return count < waiting_.size() || now >= end ? count : 0;
}

std::size_t Gather::ready(TimePoint now, bool no_more) const {
  if (waiting_.empty()) return 0;
  if (plan_->kind == NodeKind::batch) {
    const auto over = by_time() && now >= waiting_.front().entered + time();
    return full_ || over || no_more ? scanned_ : 0;
  }
  if (by_time()) {
    const auto count = window_by_time(now);
    return count == 0 && no_more ? waiting_.size() : count;
  }
  if (waiting_.size() >= plan_->window.size) return plan_->window.size;
  return no_more && waiting_.size() > seen_ ? waiting_.size() : 0;
}

void Gather::take(TimePoint now, bool no_more, std::vector<Item>& into,
                  std::vector<Item>& refused) {
  const auto count = ready(now, no_more);
  const auto sliding = plan_->kind == NodeKind::window && !by_time();
  const auto whole = !sliding || count == plan_->window.size;
  const auto leave = sliding && whole ? std::min(step(), count) : count;
  for (std::size_t i = 0; i < leave; ++i)
    into.push_back(waiting_.take_front().item);
  seen_ -= std::min(seen_, leave);
  for (std::size_t i = 0; i + leave < count; ++i)
    copy_into(waiting_[i].item, into, refused);
  if (sliding && whole) {
    seen_ = count - leave;
    to_skip_ = step() > count ? step() - count : 0;
    const auto skipped = std::min(to_skip_, waiting_.size());
    for (std::size_t i = 0; i < skipped; ++i) {
      refused.push_back(waiting_.take_front().item);
      refused.back().verdict = Verdict::skip;
    }
    to_skip_ -= skipped;
  }
  scanned_ = bytes_ = 0;
  full_ = false;
  scan();
}

void Gather::copy_into(Item& item, std::vector<Item>& into, std::vector<Item>& refused) {
  Item copy;
  std::string why = "values of its type cannot be copied, which overlapping windows need";
  try {
    copy.value = item.value.copy();
  } catch (const std::exception& thrown) {
    why = std::string{"its value could not be copied for the next window: "} + thrown.what();
  } catch (...) {
    why = "its value could not be copied for the next window";
  }
  if (!item.info) item.info = std::make_shared<ItemInfo>();
  ++item.info->open_parts;
  copy.seq = item.seq;
  copy.info = item.info;
  copy.priority = item.priority;
  copy.part = item.info->next_part++;
  if (copy.value.has_value()) return into.push_back(std::move(copy));
  copy.failure = make_failure(Failure::Kind::refused, std::move(why));
  copy.verdict = Verdict::fail;
  refused.push_back(std::move(copy));
}

std::vector<Item> Gather::take_rest() {
  std::vector<Item> rest;
  while (!waiting_.empty())
    rest.push_back(waiting_.take_front().item);
  seen_ = scanned_ = bytes_ = 0;
  full_ = false;
  return rest;
}

std::optional<TimePoint> Gather::next() const {
  if (waiting_.empty() || !by_time()) return std::nullopt;
  return waiting_.front().entered + time();
}

Item Gather::take_oldest() {
  auto item = waiting_.take_front().item;
  seen_ -= std::min<std::size_t>(seen_, 1);
  scanned_ = bytes_ = 0;
  full_ = false;
  scan();
  return item;
}

void Gather::take_all(const std::function<bool(const Item&)>& wanted,
                      const std::function<void(Item)>& taken) {
  auto seen = seen_;
  for (std::size_t i = 0, count = waiting_.size(); i < count; ++i) {
    auto entry = waiting_.take_front();
    if (!wanted(entry.item)) {
      waiting_.push_back(std::move(entry));
      continue;
    }
    if (i < seen) --seen_;
    taken(std::move(entry.item));
  }
  scanned_ = bytes_ = 0;
  full_ = false;
  scan();
}

void Gather::reset() {
  to_skip_ = 0;
  seen_ = 0;
}

}  // namespace espalier::pipeline
