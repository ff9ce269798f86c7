#include "espalier/pipeline/run/internal/crew.hpp"
#include "espalier/pipeline/run/internal/inside.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace espalier::pipeline::internal {
namespace {

using namespace std::chrono_literals;

/// Waking a thread takes about as long.
constexpr Duration back_soon = 20us;

/// False: the time is over.
template <class Ready>
bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable& call, Deadline deadline,
          const Ready& ready) {
  if (deadline) return call.wait_until(lock, *deadline, ready);
  call.wait(lock, ready);
  return true;
}

}  // namespace

// --- Feeding.

Runner::FeedResult Crew::feed(NodeId node, std::vector<Item> items, Deadline deadline) {
  Runner::FeedResult result;
  Lock lock(mutex_);
  read_clock();
  auto next = items.begin();
  try {
    const auto goes_on = [&] {  // What is behind a rejected item is rejected and counted as well.
      return result.fed == Runner::Fed::accepted ||
             (result.fed == Runner::Fed::rejected && !progress_);
    };
    while (next != items.end() && goes_on()) {
      if (const auto problem = wait_for_room(lock, node, next->priority, deadline))
        result.fed = *problem;
      else
        feed_some(lock, node, next, items.end(), result);
    }
  } catch (...) {  // The items could not be made safe.
    leave(lock);
    throw;
  }
  leave(lock);
  return result;
}

void Crew::feed_some(Lock& lock, NodeId node, Items& next, Items end, Runner::FeedResult& result) {
  auto most = std::min(chunk_limit, static_cast<std::size_t>(end - next));
  if (blocks_) most = std::min(most, flow_.room(node));
  auto chunk = flow_.new_chunk();
  const auto behind = next + static_cast<std::ptrdiff_t>(most);
  chunk->items.insert(chunk->items.end(), std::make_move_iterator(next),
                      std::make_move_iterator(behind));
  next = behind;
  ItemSeq first = 0;
  auto refused = accept(lock, node, std::move(chunk), first);
  const auto left = refused ? refused->items.size() : 0;
  if (result.count == 0) result.first = first;
  result.count += most - left;
  if (left > 0 && blocks_)  // Somebody else was faster.
    next = std::move_backward(refused->items.begin(), refused->items.end(), behind);
  else if (left > 0)
    result.fed = closed() ? Runner::Fed::closed : Runner::Fed::rejected;
  if (refused) flow_.recycle(std::move(refused));
}

std::optional<Runner::Fed> Crew::wait_for_room(Lock& lock, NodeId node, std::int32_t priority,
                                               Deadline deadline) {
  if (closed()) return Runner::Fed::closed;
  const auto before = [node, priority](const Feeder* one) {
    return one->node == node && one->priority <= priority;
  };
  if (!blocks_ || (has_room(node) && std::none_of(feeders_.begin(), feeders_.end(), before)))
    return std::nullopt;
  const auto later = [](std::int32_t mine, const Feeder* one) { return mine < one->priority; };
  for (bool in_time = true; in_time;) {
    Feeder feeder{.node = node, .priority = priority};
    feeders_.insert(std::upper_bound(feeders_.begin(), feeders_.end(), priority, later), &feeder);
    tidy(lock);
    in_time = wait(lock, feeder.call, deadline, [&feeder] { return feeder.called; });
    std::erase(feeders_, &feeder);
    read_clock();
    if (closed()) return Runner::Fed::closed;
    if (has_room(node)) return std::nullopt;
  }
  return Runner::Fed::timed_out;
}

ChunkPtr Crew::accept(Lock& lock, NodeId node, ChunkPtr chunk, ItemSeq& first) {
  // One at a time, so that the sink learns the sequence numbers before the items are on their way.
  if (accepting_) wait_until(lock, [this] { return !accepting_; }, {});
  first = flow_.next_seq();
  if (!progress_) return flow_.accept(node, std::move(chunk), now_);
  accepting_ = true;
  lock.unlock();
  const auto error = tell_accepted(node, *chunk, first);
  lock.lock();
  accepting_ = false;
  if (error) std::rethrow_exception(error);
  read_clock();
  const auto count = chunk->items.size();
  auto refused = flow_.accept(node, std::move(chunk), now_);
  if (!refused) return nullptr;
  lock.unlock();
  tell_refused(*refused, first + (count - refused->items.size()));
  lock.lock();
  return refused;
}

void Crew::feed_from(NodeId node, Source source) {
  Lock lock(mutex_);
  read_clock();
  if (!closed()) sources_.add(node, std::move(source));
  leave(lock);
}

void Crew::wait_for_sources() {
  Lock lock(mutex_);
  const auto mine = sources_.next_number();
  if (!on_own_thread())
    wait_until(lock, [this, mine] { return closed() || sources_.ended_before(mine); }, {});
  leave(lock);
}

std::exception_ptr Crew::input_error() const {
  const Lock lock(mutex_);
  return input_error_;
}

void Crew::close_input() {
  Lock lock(mutex_);
  if (!running_) return;
  read_clock();
  flow_.close_input();
  sources_.remove_idle();
  leave(lock);
}

void Crew::close_input_after_sources() {
  Lock lock(mutex_);
  if (!running_) return;
  close_after_sources_ = true;
  if (sources_.empty()) flow_.close_input();
  leave(lock);
}

// --- Taking.

ChunkPtr Crew::take(Deadline deadline) {
  Lock lock(mutex_);
  helper_away_ = false;
  Taker taker;
  takers_.push_back(&taker);
  tidy(lock);
  wait(lock, taker.call, deadline, [&taker] { return taker.answered; });
  if (!taker.answered) std::erase(takers_, &taker);
  helper_goes(taker.chunk != nullptr);
  leave(lock);
  tell_ended(taker.chunk);
  return std::move(taker.chunk);
}

ChunkPtr Crew::try_take() {
  Lock lock(mutex_);
  auto chunk = flow_.take_outputs();
  leave(lock);
  tell_ended(chunk);
  return chunk;
}

void Crew::recycle(ChunkPtr chunk) {
  if (!chunk) return;
  chunk->items.clear();  // Values of users are destroyed without the lock.
  const Lock lock(mutex_);
  flow_.recycle(std::move(chunk));
}

void Crew::helper_comes() {
  read_clock();
  helper_away_ = false;
  if (caller_ != Runner::Caller::helps_with_quick) return;
  helper_here_ = true;
  if (helper_left_ == TimePoint{}) return;
  const auto pause = now_ - helper_left_;
  helper_pause_ += (std::min(pause, 2 * helper_pause_ + 1us) - helper_pause_) / 8;
}

/// Whoever takes results usually comes back before a thread would have been woken.
void Crew::helper_goes(bool took) {
  helper_here_ = false;
  helper_left_ = took ? now_ : TimePoint{};
  helper_away_ =
      took && (caller_ == Runner::Caller::helps ||
               (caller_ == Runner::Caller::helps_with_quick && helper_pause_ < back_soon));
}

/// Until there is a result, none will come any more, or there is something to do.
ChunkPtr Crew::wait_as_helper(Lock& lock) {
  helper_here_ = helper_away_ = false;
  Taker taker{.helps = true};
  takers_.push_back(&taker);
  tidy(lock);
  taker.call.wait(lock, [&taker] { return taker.answered; });
  called_ -= taker.called ? 1 : 0;
  helper_here_ = caller_ == Runner::Caller::helps_with_quick;
  read_clock();
  return std::move(taker.chunk);
}

ChunkPtr Crew::help_and_take() {
  Lock lock(mutex_);
  helper_comes();
  if (spare_contexts_.empty()) spare_contexts_.push_back(std::make_unique<WorkContext>(tables_));
  auto context = std::move(spare_contexts_.back());
  spare_contexts_.pop_back();
  tick();
  auto chunk = flow_.take_outputs();
  while (!chunk && !over()) {
    if (!round(lock, *context, false)) chunk = wait_as_helper(lock);
    if (!chunk) chunk = flow_.take_outputs();
  }
  spare_contexts_.push_back(std::move(context));
  helper_goes(chunk != nullptr);
  leave(lock);
  tell_ended(chunk);
  return chunk;
}

bool Crew::wait_until(Lock& lock, std::function<bool()> ready, Deadline deadline) {
  Waiter waiter{.ready = std::move(ready)};
  waiters_.push_back(&waiter);
  tidy(lock);
  wait(lock, waiter.call, deadline, waiter.ready);
  std::erase(waiters_, &waiter);
  read_clock();
  return waiter.ready();
}

}  // namespace espalier::pipeline::internal
