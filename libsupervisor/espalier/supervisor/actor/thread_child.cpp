#include "espalier/supervisor/actor/thread_child.hpp"

#include "espalier/supervisor/actor/actor_child.hpp"

#include <thread>
#include <utility>

namespace espalier::supervisor {

namespace {

// What the thread owns: nothing of the tree, which it may outlive.
struct Run {
  BlockingFunction function = {};
  std::shared_ptr<Attempt> attempt = {};
  std::shared_ptr<Census> census = {};
  Census::RunId id = 0;
};

ExitRecord call(const Run& run) {
  try {
    run.function(*run.attempt);
    return {.kind = ExitKind::completed};
  } catch (...) {
    return exit_record_of(std::current_exception());
  }
}

void run_to_its_end(Run run) {
  const auto exit = call(run);
  // Once the exit is known the function's captures are gone and no thread is counted any more.
  run.function = nullptr;
  run.census->run_ended(run.id);
  run.attempt->report_exit(exit);
}

// A thread cannot be ended from outside: to abort it is to ask once more and then to give it up.
class ThreadChild final : public Child {
 public:
  ThreadChild(std::shared_ptr<Attempt> attempt, std::shared_ptr<Census> census, Census::RunId id,
              std::function<void()> stop, std::function<void()> abort)
      : attempt_(std::move(attempt)),
        census_(std::move(census)),
        id_(id),
        stop_(std::move(stop)),
        abort_(std::move(abort)) {}

  void stop(const effect::StopChild&) override { ask(stop_); }
  void abort(const effect::AbortChild&) override { ask(abort_); }
  void abandon() override { census_->run_abandoned(id_); }
  void supervisor_lost() noexcept override { ask(abort_); }

 private:
  void ask(const std::function<void()>& more) {
    attempt_->request_stop();
    if (more) more();
  }

  std::shared_ptr<Attempt> attempt_;
  std::shared_ptr<Census> census_;
  Census::RunId id_;
  std::function<void()> stop_;
  std::function<void()> abort_;
};

}  // namespace

std::unique_ptr<Child> start_on_thread(ChildStart start, BlockingFunction run,
                                       std::function<void()> stop, std::function<void()> abort) {
  const auto census = start.services->census;
  const auto attempt = std::make_shared<Attempt>(std::move(start.id), std::move(start.spec));
  const auto id = census->run_began(Census::Runner::thread, attempt->path());
  try {
    std::thread{run_to_its_end, Run{std::move(run), attempt, census, id}}.detach();
  } catch (...) {
    census->run_ended(id);
    throw;
  }
  return std::make_unique<ThreadChild>(attempt, census, id, std::move(stop), std::move(abort));
}

}  // namespace espalier::supervisor
