#include "espalier/pipeline/core/internal/failures.hpp"
#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::pipeline {

namespace {

int badness(Outcome outcome) {
  switch (outcome) {
    case Outcome::skipped:
      return 0;
    case Outcome::succeeded:
      return 1;
    case Outcome::cancelled:
      return 2;
    case Outcome::failed:
      return 3;
  }
  return 3;
}

Verdict verdict_of(Outcome outcome) {
  if (outcome == Outcome::succeeded) return Verdict::pass;
  return outcome == Outcome::skipped ? Verdict::skip : Verdict::fail;
}

/// Neither taken apart nor combined: its end is that of the fed item. The first part may end before
/// the others have their numbers.
bool is_whole(const Item& item) {
  const auto* info = item.info.get();
  return !info || (info->open_parts <= 1 && info->next_part == 1 && info->members.empty());
}

/// All but what the task was given, which cannot be copied.
std::unique_ptr<Failure> copy_of(const Failure& failure) {
  auto copy = std::make_unique<Failure>();
  copy->kind = failure.kind;
  copy->message = failure.message;
  copy->type = failure.type;
  copy->stage = failure.stage;
  copy->task = failure.task;
  copy->attempts = failure.attempts;
  copy->error = failure.error;
  return copy;
}

}  // namespace

/// The fast way: all came through the whole pipeline.
void Flow::Impl::end_clean(ChunkPtr chunk, const Node& where, const Seen& seen) {
  auto& items = chunk->items;
  if (seen.company) {
    for (auto& item : items)
      end_item(std::move(item), Outcome::succeeded, where);
    return pool_.put(std::move(chunk));
  }
  if (watching_) note(Status::completed, output_node, items, TrackEvent::no_worker);
  counts_.succeeded += items.size();
  if (tracks_oldest_) {
    for (const auto& item : items)
      window_.end(item.seq);
  }
  if (!where.left_behind.front().empty()) {
    for (const auto& item : items)
      moved(where, 0, item.seq, 1);
  }
  outputs_.push(std::move(chunk));
}

void Flow::Impl::end_item(Item item, Outcome outcome, const Node& where) {
  if (watching_) note_end(item, outcome, where);
  const auto seq = item.seq;
  const auto info = item.info;
  item.verdict = verdict_of(outcome);
  close_gaps(where, seq, 1);
  const auto whole = is_whole(item);
  const auto why = outputs_.tells_ends() && !whole && item.failure
                       ? std::shared_ptr<const Failure>(copy_of(*item.failure))
                       : nullptr;
  if (item.verdict == Verdict::fail && where.plan->on_failure) {
    untold_.push_back({where.id, std::move(item)});
  } else {
    hand_out(std::move(item));
  }
  close_part(seq, info, outcome, why.get(), whole);
}

void Flow::Impl::hand_out(Item item) {
  const auto feeding_goes_on = plan_.options.overflow == Overflow::drop_oldest;
  if (feeding_goes_on && item.verdict != Verdict::pass && outputs_.overrun()) {
    // Nobody takes results, and nothing stops the feeder: counted, but not kept, so that memory is
    // bounded.
    return outputs_.close(item.seq);
  }
  if (outputs_.tells_ends() && !is_whole(item)) return;  // close_part tells of what it came of.
  auto chunk = pool_.get();
  chunk->items.push_back(std::move(item));
  outputs_.push(std::move(chunk));
}

void Flow::Impl::told(std::vector<Untold> items) {
  for (auto& untold : items)
    hand_out(std::move(untold.item));
  settle();
}

void Flow::Impl::end_failed(Item item, std::unique_ptr<Failure> failure, Outcome outcome,
                            const Node& where) {
  item.failure = std::move(failure);
  complete_failure(*where.plan, item);
  auto& stats = nodes_[where.id]->stats;
  if (outcome == Outcome::failed) ++stats.failed;
  end_item(std::move(item), outcome, where);
}

/// A part that adds nothing to what became of the fed item, and is no result.
void Flow::Impl::end_silently(const Item& item, const Node& where) {
  close_gaps(where, item.seq, 1);
  close_part(item.seq, item.info, Outcome::skipped, nullptr, false);
}

/// `is_handed_out`: who wants to be told of ends is told by the item itself.
void Flow::Impl::close_part(ItemSeq seq, const std::shared_ptr<ItemInfo>& info, Outcome outcome,
                            const Failure* why, bool is_handed_out) {
  if (info) {
    if (badness(outcome) > badness(info->worst)) {
      info->worst = outcome;
      if (why) info->why = copy_of(*why);
    }
    if (--info->open_parts > 0) return;
    for (const auto& member : info->members)
      close_part(member.seq, member.info, info->worst, info->why.get(), false);
    if (!info->members.empty()) return;
    outcome = info->worst;
    why = info->why.get();
  }
  ended(seq, outcome);
  if (outputs_.tells_ends() && !is_handed_out) note_ended(seq, info, outcome, why);
}

void Flow::Impl::note_ended(ItemSeq seq, const std::shared_ptr<ItemInfo>& info, Outcome outcome,
                            const Failure* why) {
  auto chunk = pool_.get();
  auto& item = chunk->items.emplace_back();
  item.seq = seq;
  item.info = info;
  item.verdict = verdict_of(outcome);
  if (why) item.failure = copy_of(*why);
  outputs_.push(std::move(chunk));
}

void Flow::Impl::ended(ItemSeq seq, Outcome outcome) {
  switch (outcome) {
    case Outcome::succeeded:
      ++counts_.succeeded;
      break;
    case Outcome::failed:
      ++counts_.failed;
      break;
    case Outcome::skipped:
      ++counts_.skipped;
      break;
    case Outcome::cancelled:
      ++counts_.cancelled;
      break;
  }
  if (tracks_oldest_) window_.end(seq);
}

void Flow::Impl::close_gaps(const Node& where, ItemSeq seq, std::uint64_t count) {
  for (const auto ordered : where.ordered_behind)
    close_gap(ordered, seq, count);
}

}  // namespace espalier::pipeline
