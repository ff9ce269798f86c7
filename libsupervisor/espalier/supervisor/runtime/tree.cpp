#include "espalier/supervisor/runtime/tree.hpp"

#include "espalier/supervisor/runtime/reconcile.hpp"

#include <utility>

namespace espalier::supervisor {

namespace {

TreeResult::Kind kind_of(effect::Result result) {
  switch (result) {
    case effect::Result::stopped:
      return TreeResult::Kind::stopped;
    case effect::Result::failed:
      return TreeResult::Kind::failed;
    case effect::Result::start_failed:
      return TreeResult::Kind::start_failed;
  }
  return TreeResult::Kind::failed;
}

// The last events of a tree come from here, when no supervisor is left to tell them.
Cause publish(TreeServices& services, const Cause& cause, EventBody body) {
  const auto sequence = ++*services.sequence;
  services.publish({.sequence = sequence,
                    .epoch = services.epoch,
                    .at = std::chrono::system_clock::now(),
                    .monotonic = std::chrono::steady_clock::now(),
                    .path = "/",
                    .cause = cause,
                    .body = std::move(body)});
  return {sequence, cause.correlation == 0 ? sequence : cause.correlation};
}

}  // namespace

Tree::Tree(std::shared_ptr<TreeServices> services, Duration abort_wait)
    : services_(std::move(services)), abort_wait_(abort_wait) {}

void Tree::up() {
  const std::lock_guard lock{mutex_};
  up_ = true;
  changed_.notify_all();
}

void Tree::finished(const effect::Finished& how) {
  const std::lock_guard lock{mutex_};
  finished_ = how;
  changed_.notify_all();
}

void Tree::note_stop(const std::string& cause) {
  const std::lock_guard lock{mutex_};
  if (stop_begun_) return;
  stop_begun_ = Clock::now();
  stop_cause_ = cause;
}

void Tree::request_stop(const std::string& cause, std::optional<Duration> limit) {
  note_stop(cause);
  line_->send(input::Stop{cause, limit, {}}, caf::message_priority::high);
}

void Tree::abort() {
  note_stop("abort");
  line_->send(input::Abort{abort_wait_, {}}, caf::message_priority::high);
}

void Tree::close() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return finished_.has_value(); });
  const auto how = *finished_;
  lock.unlock();
  auto result = result_of(how);
  lock.lock();
  result_ = std::move(result);
  changed_.notify_all();
}

TreeResult Tree::result_of(const effect::Finished& how) {
  const auto finished_at = Clock::now();
  auto report = std::make_shared<ShutdownReport>();
  const auto cause =
      publish(*services_, how.cause, events::ShutdownStageReached{ShutdownStage::reconcile});
  report->reconcile = reconcile(*services_);
  report->children = how.children;
  {
    const std::lock_guard lock{mutex_};
    report->cause = stop_begun_ ? stop_cause_ : how.exit.message;
    report->took = Clock::now() - stop_begun_.value_or(finished_at);
  }
  publish(*services_, cause, events::ShutdownCompleted{report});
  const auto reason = how.exit.message.empty() ? report->cause : how.exit.message;
  return {.kind = kind_of(how.result), .reason = reason, .report = *report};
}

bool Tree::wait_up() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return up_ || result_.has_value(); });
  return up_;
}

const TreeResult& Tree::result() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return result_.has_value(); });
  return *result_;
}

const TreeResult* Tree::result_within(Duration limit) {
  std::unique_lock lock{mutex_};
  const bool done = changed_.wait_for(lock, limit, [this] { return result_.has_value(); });
  return done ? &*result_ : nullptr;
}

bool Tree::is_done() {
  const std::lock_guard lock{mutex_};
  return result_.has_value();
}

}  // namespace espalier::supervisor
