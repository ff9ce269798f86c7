#include "espalier/pipeline/supervised/pipeline_child.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace espalier::pipeline {

namespace {

class SupervisedRun final : public supervisor::PipelineWork {
 public:
  SupervisedRun(MakePipeline make, Ends ends, std::shared_ptr<PipelineBoard> board)
      : make_(std::move(make)), ends_(ends), board_(std::move(board)) {}

  void run(supervisor::ChildContext& context) override {
    auto pipe = make_(context);
    check(pipe.plan().options);
    if (!pipe.running()) pipe.start();
    const auto runner = pipe.runner();
    const auto entry = board_ ? board_->add(context.path(), [&] { return runner->snapshot(); })
                              : std::unique_ptr<PipelineBoard::Entry>{};
    if (!begin(runner)) return;
    context.report_ready();
    runner->wait_for_sources();
    if (ends_ == Ends::when_stopped) wait_for_stop();
    pipe.drain();
    end();
    if (const auto error = runner->input_error()) std::rethrow_exception(error);
  }

  void drain() override {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (runner_) runner_->close_input();
    changed_.notify_all();
  }

  void abort() override {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (runner_) runner_->abort("its supervisor aborted the pipeline");
    changed_.notify_all();
  }

 private:
  static void check(const PipelineOptions& options) {
    if (!options.keep_results) return;
    throw supervisor::ChildFailure(
        supervisor::FailureCategory::fatal_config,
        "the pipeline " + options.name +
            " keeps results that nobody takes; end it in a sink and set keep_results = false");
  }
  // False: stopped before it began.
  bool begin(const std::shared_ptr<Runner>& runner) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    runner_ = runner;
    return true;
  }
  void wait_for_stop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopping_; });
  }
  void end() {
    const std::lock_guard lock(mutex_);
    runner_ = nullptr;
  }

  const MakePipeline make_;
  const Ends ends_;
  const std::shared_ptr<PipelineBoard> board_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Runner> runner_;
  bool stopping_ = false;
};

}  // namespace

supervisor::PipelineFactory as_child(MakePipeline make, Ends ends,
                                     std::shared_ptr<PipelineBoard> board) {
  return [make = std::move(make), ends, board = std::move(board)] {
    return std::make_shared<SupervisedRun>(make, ends, board);
  };
}

}  // namespace espalier::pipeline
