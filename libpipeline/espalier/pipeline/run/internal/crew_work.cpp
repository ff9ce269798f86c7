#include "espalier/pipeline/run/internal/crew.hpp"
#include "espalier/pipeline/run/internal/failures.hpp"
#include "espalier/pipeline/run/internal/inside.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace espalier::pipeline::internal {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Coroutines that are claimed in one hold of the lock.
constexpr std::size_t most_async_at_once = 256;
/// A caller that takes results works along only where items take no longer than this.
constexpr Duration quick_item = 50us;

}  // namespace

/// A task that ends its thread (pthread_exit) unwinds it: then the batch it leaves gets its
/// outcomes all the same.
class Crew::Burial {
 public:
  Burial(Crew& crew, Lock& lock, WorkContext& context, bool own)
      : crew_(crew), lock_(lock), context_(context), own_(own) {}
  ~Burial() {
    if (regular_) return;
    const auto& work = context_.work();
    fail_after_thread_end(crew_.plan().nodes[work.node], *work.chunk, context_.item());
    if (!lock_.owns_lock()) lock_.lock();
    crew_.read_clock();
    if (const auto next = crew_.finish(context_)) crew_.ready_.push_back({*next});
    crew_.leave_kernels(own_);
    crew_.leave(lock_);
  }
  Burial(const Burial&) = delete;
  Burial& operator=(const Burial&) = delete;
  void regular() { regular_ = true; }

 private:
  Crew& crew_;
  Lock& lock_;
  WorkContext& context_;
  bool own_;
  bool regular_ = false;
};

bool Crew::is_short(const Work& work, Duration longest) const {
  if (longest == Duration::max()) return true;
  const auto time = flow_.item_time(work.node);
  return time > Duration::zero() && time <= longest;
}

bool Crew::is_async(const Work& work) const {
  return plan().nodes[work.node].async;
}

bool Crew::round(Lock& lock, WorkContext& context, bool own) {
  if (events_.overfull() && own) return false;  // The sinks are behind; whoever is there goes on.
  if (auto* source = own ? source_to_pull_ahead() : nullptr) {
    pull(lock, *source);
    return true;
  }
  const auto work = own && !may_work() ? std::nullopt : next_work(own);
  if (work) {
    work_on(lock, context, *work, own);
    return true;
  }
  if (!for_lane_.empty()) return tidy(lock);
  // A source may block, and results of what it gave before may be there meanwhile.
  if (closed() || !(own ? may_pull() : caller_ == Runner::Caller::helps)) return false;
  auto* source = sources_.next([this](const SourceSet::Entry& entry) {
    return entry.has_something() && has_room(entry.node);
  });
  if (!source) return false;
  if (source->busy)
    fetch(*source);
  else
    pull(lock, *source);
  return true;
}

/// Before what waits has run dry and others have nothing to do; unless it may block.
SourceSet::Entry* Crew::source_to_pull_ahead() {
  if (closed() || !may_pull()) return nullptr;
  return sources_.next([this](const SourceSet::Entry& entry) {
    return !entry.busy && entry.proven && flow_.wants_items(entry.node);
  });
}

/// What a thread may take on: a caller that helps must be back soon.
Duration Crew::longest_item(bool own) const {
  return own || caller_ == Runner::Caller::helps ? Duration::max() : quick_item;
}

std::optional<Crew::ReadyWork> Crew::next_work(bool own) {
  const auto longest = longest_item(own);
  if (!ready_.empty() && is_short(ready_.front().work, longest)) {
    const auto work = ready_.front();
    ready_.pop_front();
    return work;
  }
  if (auto work = claim_until_sync(longest)) return ReadyWork{*work};
  return std::nullopt;
}

std::optional<Work> Crew::claim_until_sync(Duration longest) {
  while (for_lane_.size() < most_async_at_once) {
    auto work = flow_.claim(now_, longest);
    if (!work) return std::nullopt;
    ++outstanding_;
    if (!is_async(*work)) return work;
    start_async(*work);
  }
  return std::nullopt;
}

void Crew::work_on(Lock& lock, WorkContext& context, ReadyWork ready, bool own) {
  ++active_;
  own_busy_ += own ? 1 : 0;
  helper_works_ = helper_works_ || !own;
  for (;;) {
    const auto next = run(lock, context, ready, own);
    if (!next) break;
    if (is_async(*next)) {
      start_async(*next);
      break;
    }
    if (!is_short(*next, longest_item(own))) {
      ready_.push_back({*next});
      break;
    }
    ready = {*next};
  }
  leave_kernels(own);
}

void Crew::leave_kernels(bool own) {
  --active_;
  own_busy_ -= own ? 1 : 0;
  helper_works_ = helper_works_ && own;
}

std::optional<Work> Crew::run(Lock& lock, WorkContext& context, const ReadyWork& ready, bool own) {
  enter_work(context, ready.work);
  if (ready.stop) context.stop_source().request_stop();
  Burial burial(*this, lock, context, own);
  leave(lock);
  {
    const Inside inside(this, &context);
    run_kernel(plan().nodes[ready.work.node], ready.work, context);
  }
  if (progress_) tell_moved(ready.work);
  const auto now = Clock::now();
  lock.lock();
  burial.regular();
  read_clock(now);
  return finish(context);
}

void Crew::enter_work(WorkContext& context, const Work& work) {
  context.begin(work);
  context.place = at_work_.size();
  at_work_.push_back(&context);
}

std::optional<Work> Crew::finish(WorkContext& context) {
  at_work_.back()->place = context.place;
  at_work_[context.place] = at_work_.back();
  at_work_.pop_back();
  context.end(now_);
  if (!context.moments().empty()) {
    events_.gather(flow_);
    events_.add_tasks(context.moments());
  }
  ++rounds_;
  // A thread that lost its processor for a moment does not make work long.
  const auto took = now_ - context.work().started;
  average_work_ += (std::min(took, 2 * average_work_ + 1us) - average_work_) / 8;
  auto next = flow_.finish(context.work(), now_);
  if (!next) --outstanding_;
  return next;
}

// --- Coroutines.

void Crew::start_async(const Work& work) {
  if (!lane_)
    lane_ =
        std::make_unique<AsyncLane>([this](std::span<AsyncItem* const> done) { collected(done); },
                                    options_.thread_name + "-async");
  if (spare_async_.empty()) spare_async_.push_back(&async_items_.emplace_back(tables_));
  auto* item = spare_async_.back();
  spare_async_.pop_back();
  item->node = &plan().nodes[work.node];
  enter_work(item->context, work);
  for_lane_.push_back(item);
}

void Crew::collected(std::span<AsyncItem* const> done) {
  if (progress_)
    for (const auto* item : done)
      tell_moved(item->context.work());
  const auto now = Clock::now();
  Lock lock(mutex_);
  read_clock(now);
  for (auto* item : done) {
    const auto next = finish(item->context);
    spare_async_.push_back(item);
    if (!next) continue;
    if (is_async(*next))
      start_async(*next);
    else
      ready_.push_back({*next});
  }
  // Work for threads that turns up here is left to them, and so is what lies behind it.
  if (ready_.empty())
    if (const auto work = claim_until_sync(Duration::max())) ready_.push_back({*work});
  leave(lock);
}

// --- Sources.

void Crew::pull(Lock& lock, SourceSet::Entry& source) {
  source.busy = true;
  ++outstanding_;
  ++pulling_;
  auto chunk = std::move(source.left);
  if (!chunk) {
    chunk = flow_.new_chunk();
    const auto most = std::min(flow_.room(source.node), chunk_limit);
    source.begin(*chunk, most);
    pulling_quickly_ = source.proven;
    pull_began_ = now_;
    leave(lock);
    const auto error = pull_outside(lock, source, *chunk, most);
    const auto now = Clock::now();
    lock.lock();
    read_clock(now);
    if (error) input_error_ = error;
    source.by_item =
        !progress_ && !chunk->items.empty() && (source.by_item || chunk->items.size() < most);
    pulling_quickly_ = false;
    source.proven = chunk->items.size() == most;
    chunk->items.erase(chunk->items.begin(),
                       chunk->items.begin() + static_cast<std::ptrdiff_t>(source.fetched));
    source.take_over(*chunk);
  }
  try {
    give(lock, source, std::move(chunk));
  } catch (...) {  // The items could not be made safe.
    input_error_ = std::current_exception();
    source.at_end = true;
  }
  end_pull(source);
}

void Crew::end_pull(SourceSet::Entry& source) {
  source.busy = false;
  --outstanding_;
  --pulling_;
  if (!closed() && (!source.at_end || source.left)) return;
  sources_.remove(&source);
  if (close_after_sources_ && sources_.empty()) flow_.close_input();
}

std::exception_ptr Crew::pull_outside(Lock& lock, SourceSet::Entry& source, Chunk& chunk,
                                      std::size_t most) {
  const Inside inside(this, nullptr);
  try {
    source.fill(chunk, most);
  } catch (const abi::__forced_unwind&) {
    lock.lock();
    input_error_ = std::make_exception_ptr(
        std::runtime_error("the source ended its thread (pthread_exit); return false instead"));
    fetch(source);  // What it gave in earlier calls counts.
    end_pull(source);
    leave(lock);
    throw;
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

/// What a source has given in a pull that has not come back.
void Crew::fetch(SourceSet::Entry& source) {
  auto chunk = flow_.new_chunk();
  const auto given = source.given.load(std::memory_order_acquire);
  const auto count = std::min(given - source.fetched, flow_.room(source.node));
  const auto first = std::make_move_iterator(source.first + source.fetched);
  chunk->items.assign(first, first + static_cast<std::ptrdiff_t>(count));
  source.fetched += count;
  if (auto refused = flow_.accept(source.node, std::move(chunk), now_))
    flow_.recycle(std::move(refused));
}

/// As much as there is room for; the rest waits in the source.
void Crew::give(Lock& lock, SourceSet::Entry& source, ChunkPtr chunk) {
  while (chunk && !closed()) {
    const auto room = flow_.room(source.node);
    if (chunk->items.empty() || room == 0) break;
    ChunkPtr rest;
    if (chunk->items.size() > room) {
      rest = flow_.new_chunk();
      const auto first = chunk->items.begin() + static_cast<std::ptrdiff_t>(room);
      std::move(first, chunk->items.end(), std::back_inserter(rest->items));
      chunk->items.erase(first, chunk->items.end());
    }
    ItemSeq ignored = 0;
    chunk = accept(lock, source.node, std::move(chunk), ignored);
    if (chunk && rest) {  // Refused after all: back together.
      std::move(rest->items.begin(), rest->items.end(), std::back_inserter(chunk->items));
      flow_.recycle(std::move(rest));
    } else if (rest) {
      chunk = std::move(rest);
    }
  }
  if (chunk && (closed() || chunk->items.empty()))
    flow_.recycle(std::move(chunk));
  else
    source.left = std::move(chunk);
}

}  // namespace espalier::pipeline::internal
