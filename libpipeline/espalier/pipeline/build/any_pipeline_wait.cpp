#include "espalier/pipeline/build/futures.hpp"
#include "espalier/pipeline/build/internal/pipeline_state.hpp"
#include "espalier/pipeline/build/result.hpp"

#include <unordered_set>

namespace espalier::pipeline {
namespace {

/// Looks for certain ids among results.
class Waiting {
 public:
  Waiting(const std::vector<std::string>& ids, WaitFor what) : ids_(ids), what_(what) {
    missing_.insert(ids.begin(), ids.end());
  }
  /// True: no need to wait any longer. Looks only at those that are new since the last time.
  bool look_through(const std::vector<Item>& results, std::uint64_t taken_before) {
    if (taken_before != taken_before_) next_ = 0;
    taken_before_ = taken_before;
    for (; next_ < results.size(); ++next_) {
      const Item& item = results[next_];
      found(item.info.get(), item.seq, item.verdict == Verdict::fail);
    }
    return missing_.empty() || (what_ == WaitFor::any && any_) ||
           (what_ == WaitFor::first_error && error_);
  }
  AnyPipeline::Waited answer() && {
    AnyPipeline::Waited waited;
    for (const auto& id : ids_)
      (missing_.contains(id) ? waited.not_done : waited.done).push_back(id);
    return waited;
  }

 private:
  void found(const ItemInfo* info, ItemSeq seq, bool failed) {
    if (missing_.erase(detail::item_id(info, seq)) > 0) {
      any_ = true;
      error_ = error_ || failed;
    }
    if (info == nullptr) return;
    for (const auto& member : info->members)
      found(member.info.get(), member.seq, failed);
  }

  const std::vector<std::string>& ids_;
  WaitFor what_;
  std::unordered_set<std::string> missing_ = {};
  std::size_t next_ = 0;
  std::uint64_t taken_before_ = 0;
  bool any_ = false;
  bool error_ = false;
};

}  // namespace

AnyPipeline::Waited AnyPipeline::wait(const std::vector<std::string>& ids, WaitFor what,
                                      Duration timeout) {
  const auto runner = state_->current();
  const auto deadline = detail::deadline_after(timeout);
  Waiting waiting(ids, what);
  std::unique_lock lock(state_->results_mutex);
  while (!waiting.look_through(state_->results, state_->results_taken)) {
    if (state_->somebody_takes) {
      if (state_->results_came.wait_until(lock, *deadline) == std::cv_status::timeout) break;
      continue;
    }
    state_->somebody_takes = true;
    lock.unlock();
    auto chunk = runner->take(deadline);
    lock.lock();
    state_->somebody_takes = false;
    state_->results_came.notify_all();
    if (!chunk) break;
    state_->add_results(std::move(chunk));
  }
  waiting.look_through(state_->results, state_->results_taken);
  return std::move(waiting).answer();
}

}  // namespace espalier::pipeline
