#include "espalier/pipeline/build/executor.hpp"

#include "espalier/pipeline/build/describe.hpp"
#include "espalier/pipeline/run/runner.hpp"

#include <atomic>
#include <limits>
#include <mutex>
#include <span>
#include <unordered_map>

namespace espalier::pipeline {
namespace {

/// What an item of the executor's only stage holds.
struct Job {
  std::shared_ptr<detail::Call> call = {};
  std::uint32_t attempts_left = 0;  ///< After the present one.
  Duration delay = {};              ///< Before the next.
  Limit limit = {};
};
using JobPtr = std::unique_ptr<Job>;

/// The calls that wait for a thread, so that a shutdown can tell them.
class Waiting {
 public:
  void add(const std::shared_ptr<detail::Call>& call) {
    const std::lock_guard lock(mutex_);
    calls_.emplace(call->sequence(), call);
  }
  void remove(const detail::Call& call) {
    const std::lock_guard lock(mutex_);
    calls_.erase(call.sequence());
  }
  /// Cancels all; those that come later are cancelled by `closed`.
  void close() {
    std::unordered_map<std::uint64_t, std::shared_ptr<detail::Call>> calls;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      calls.swap(calls_);
    }
    for (const auto& [sequence, call] : calls)
      call->cancel("the executor was shut down");
  }
  [[nodiscard]] bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<detail::Call>> calls_;
  bool closed_ = false;
};

class CallKernel final : public Kernel {
 public:
  explicit CallKernel(std::shared_ptr<Waiting> waiting) : waiting_(std::move(waiting)) {}
  [[nodiscard]] std::span<const std::string> tasks() const override { return names_; }

  bool run(std::span<Item> items, RunContext& context) override {
    bool all_over = true;
    for (Item& item : items) {
      context.at(item);
      item.port = 0;
      item.verdict = Verdict::pass;
      item.failure.reset();
      if (run_job(*item.value.as<JobPtr>(), item, context))
        item.value.reset();  // Here, where the destructors of arguments may do what they like.
      else
        all_over = false;
    }
    return all_over;
  }

 private:
  // False: it wants another attempt.
  bool run_job(Job& job, Item& item, RunContext& context) {
    waiting_->remove(*job.call);
    if (!job.call->begin()) return true;
    try {
      if (job.limit && !job.limit.acquire(context.stop_token()))
        throw CallCancelled("stopped while it waited for its limit");
      const LimitPlace place(job.limit);
      job.call->run();
    } catch (...) {
      if (job.attempts_left > 0 && !waiting_->closed()) {
        try_again(job, item);
        return false;
      }
      job.call->finish(std::current_exception());
      return true;
    }
    job.call->finish(nullptr);
    return true;
  }

  void try_again(Job& job, Item& item) {
    --job.attempts_left;
    item.verdict = Verdict::again;
    item.failure = failure_from(std::current_exception());
    item.failure->retry_after = job.delay;
    job.delay *= 2;
    job.call->back_to_queue();
    waiting_->add(job.call);
    if (waiting_->closed()) job.call->cancel("the executor was shut down");
  }

  std::shared_ptr<Waiting> waiting_;
  std::vector<std::string> names_ = {"call"};
};

Plan plan_of(const ExecutorOptions& options, std::shared_ptr<Waiting> waiting) {
  if (options.workers == 0)
    throw std::invalid_argument("executor '" + options.name +
                                "' has 0 workers, so nothing would ever run; give it 1 or more");
  Plan plan;
  plan.options.name = options.name;
  plan.options.keep_results = false;
  NodePlan node;
  node.name = "calls";
  node.kernel = std::make_shared<CallKernel>(std::move(waiting));
  node.options.workers = options.workers;
  node.options.capacity = std::numeric_limits<std::size_t>::max() / 2;
  node.options.batch_limit = 1;  // A call may wait for another one.
  node.next = {output_node};
  node.input = typeid(JobPtr);
  plan.nodes.push_back(std::move(node));
  return plan;
}

}  // namespace

struct Executor::State {
  explicit State(const ExecutorOptions& options)
      : name(options.name),
        workers(options.workers),
        runner(plan_of(options, waiting), {.threads = options.workers, .thread_name = name}) {}

  std::string name;
  std::size_t workers;
  std::shared_ptr<Waiting> waiting = std::make_shared<Waiting>();
  std::atomic<std::uint64_t> next_sequence = 0;
  std::atomic<bool> closed = false;
  Runner runner;
};

Executor::Executor(ExecutorOptions options) : state_(std::make_shared<State>(options)) {
  state_->runner.start();
}

Executor::~Executor() {
  shutdown();
}

std::size_t Executor::workers() const {
  return state_->workers;
}
std::size_t Executor::pending() const {
  return state_->runner.counts().in_flight();
}
std::uint64_t Executor::next_sequence() {
  return state_->next_sequence++;
}

void Executor::enqueue(std::shared_ptr<detail::Call> call, CallOptions options) {
  if (!state_->closed) {
    state_->waiting->add(call);
    std::vector<Item> items(1);
    items.front().value = Value::of<JobPtr>(
        std::make_unique<Job>(Job{call, options.retries, options.delay, std::move(options.limit)}));
    if (state_->runner.feed(0, std::move(items)).fed == Runner::Fed::accepted) return;
    state_->waiting->remove(*call);
  }
  throw ExecutorShutdown("executor '" + state_->name +
                         "' has been shut down and takes no more calls");
}

void Executor::shutdown(bool wait, bool cancel_queued) {
  state_->closed = true;
  if (cancel_queued) {
    state_->waiting->close();
    state_->runner.cancel("the executor was shut down");
  }
  state_->runner.close_input();
  if (!wait) return;
  state_->runner.drain({});
  state_->runner.stop();
}

}  // namespace espalier::pipeline
