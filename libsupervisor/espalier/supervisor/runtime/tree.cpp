#include "espalier/supervisor/runtime/tree.hpp"

#include "espalier/supervisor/runtime/read_state.hpp"
#include "espalier/supervisor/runtime/reconcile.hpp"

#include <algorithm>
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

// An instant further off would overflow the clock.
constexpr Duration longest_wait = std::chrono::hours{24 * 365};

// Paths a health report names.
constexpr std::size_t unready_listed = 32;

const char* state_word(effect::Result result) {
  return result == effect::Result::stopped ? "stopped" : "failed";
}

}  // namespace

// The hub lives among the services: it holds them as they are.
Tree::Tree(std::shared_ptr<TreeServices> services, const Options& options)
    : services_(std::move(services)),
      abort_wait_(options.abort_wait),
      journal_(std::make_shared<JournalRing>(options.events_kept)),
      hub_(
          std::make_shared<EventHub>(options.backpressure, [all = services_.get()](EventBody body) {
            publish_for_tree(*all, "/", {}, std::move(body));
          })) {
  // Last of all: what the watch publishes must come after the event that made it do so.
  services_->sinks.insert(services_->sinks.end(), {journal_, hub_, watch_});
}

void Tree::up() {
  const std::lock_guard lock{mutex_};
  up_since_ = std::chrono::system_clock::now();
  changed_.notify_all();
}

void Tree::finished(const effect::Finished& how) {
  const std::lock_guard lock{mutex_};
  finished_ = how;
  ended_at_ = std::chrono::system_clock::now();
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
  lock.unlock();
  hub_->close();
}

TreeResult Tree::result_of(const effect::Finished& how) {
  const auto finished_at = Clock::now();
  auto report = std::make_shared<ShutdownReport>();
  const auto cause = publish_for_tree(*services_, "/", how.cause,
                                      events::ShutdownStageReached{ShutdownStage::reconcile});
  report->reconcile = reconcile(*services_);
  report->children = how.children;
  {
    const std::lock_guard lock{mutex_};
    report->cause = stop_begun_ ? stop_cause_ : how.exit.message;
    report->took = Clock::now() - stop_begun_.value_or(finished_at);
  }
  auto summary = watch_->summary("shutdown", report->cause, state_word(how.result));
  {
    const std::lock_guard lock{mutex_};
    summary_ = summary;
  }
  publish_for_tree(*services_, "/", cause,
                   events::RunSummarized{std::make_shared<RunSummary>(std::move(summary))});
  publish_for_tree(*services_, "/", cause, events::ShutdownCompleted{report});
  const auto reason = how.exit.message.empty() ? report->cause : how.exit.message;
  return {.kind = kind_of(how.result), .reason = reason, .report = *report};
}

bool Tree::wait_up() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return up_since_ || result_.has_value(); });
  return up_since_.has_value();
}

const TreeResult& Tree::result() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return result_.has_value(); });
  return *result_;
}

const TreeResult* Tree::result_within(Duration limit) {
  std::unique_lock lock{mutex_};
  const bool done = changed_.wait_for(lock, std::min(limit, longest_wait),
                                      [this] { return result_.has_value(); });
  return done ? &*result_ : nullptr;
}

RunSummary Tree::summary() {
  {
    const std::lock_guard lock{mutex_};
    if (summary_) return *summary_;
  }
  return watch_->summary("running", "", watch_->stopping_since() ? "stopping" : "running");
}

HealthReport Tree::health() {
  using State = HealthReport::State;
  HealthReport result;
  result.counts = services_->directory->totals()->counts();
  result.since = launched_;
  {
    const std::lock_guard lock{mutex_};
    result.ended = result_;
    if (up_since_) {
      result.state = State::up;
      result.since = *up_since_;
    }
    if (result_) {
      result.alive = false;
      result.state = result_->kind == TreeResult::Kind::stopped ? State::stopped : State::failed;
      result.since = ended_at_;
    }
  }
  if (!result.alive) return result;
  if (const auto since = watch_->stopping_since()) {
    result.state = State::stopping;
    result.since = *since;
  } else if (result.state == State::up) {
    if (const auto changed = services_->directory->totals()->readiness_changed()) {
      result.since = std::max(result.since, *changed);
    }
    if (result.counts.unready > 0) result.state = State::degraded;
  }
  if (result.counts.unready > 0) result.not_ready = unready_paths(*services_, unready_listed);
  return result;
}

ChildView Tree::root_view() {
  ChildView result{.phase = ChildPhase::starting, .generation = 1, .attempt = 1};
  const auto stopping_since = watch_->stopping_since();
  const std::lock_guard lock{mutex_};
  auto since = launched_;
  if (finished_) {
    result.phase = ChildPhase::stopped;
    result.last_exit = std::make_shared<ExitRecord>(finished_->exit);
    since = ended_at_;
  } else if (stopping_since) {
    result.phase = ChildPhase::stopping;
    since = *stopping_since;
  } else if (up_since_) {
    result.phase = ChildPhase::running;
    since = *up_since_;
  }
  result.since = Clock::now() - (std::chrono::system_clock::now() - since);
  return result;
}

expected<TreeState, Error> Tree::state(const StateQuery& query) {
  return read_state(*services_, query, root_view());
}

expected<Why, Error> Tree::why(const std::string& path) {
  auto node = state({.path = path, .depth = 0});
  if (!node) return unexpected<Error>(node.error());
  return why_of(path, node->nodes.front().view, journal_->read());
}

bool Tree::is_done() {
  const std::lock_guard lock{mutex_};
  return result_.has_value();
}

}  // namespace espalier::supervisor
