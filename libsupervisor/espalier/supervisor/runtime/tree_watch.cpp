#include "espalier/supervisor/runtime/tree_watch.hpp"

#include <utility>

namespace espalier::supervisor {

void TreeWatch::publish(const Event& event) {
  std::shared_ptr<RunSummary> due;
  {
    const std::lock_guard lock{mutex_};
    builder_.add(event);
    const bool stops = std::holds_alternative<events::ShutdownRequested>(event.body) ||
                       std::holds_alternative<events::ShutdownStageReached>(event.body);
    if (stops && event.path == "/" && !stopping_since_) stopping_since_ = event.at;
    const auto occasion = RunSummaryBuilder::occasion_of(event);
    if (occasion.empty()) return;
    const auto cause = event.path + " " + describe(event.body, event.path);
    due = std::make_shared<RunSummary>(
        builder_.make(occasion, cause, stopping_since_ ? "stopping" : "running", event.monotonic));
  }
  // Comes back here as an event: not under the lock.
  const auto first = event.cause.correlation == 0 ? event.sequence : event.cause.correlation;
  publish_for_tree(services_, event.path, {event.sequence, first},
                   events::RunSummarized{std::move(due)});
}

RunSummary TreeWatch::summary(const std::string& occasion, const std::string& cause,
                              const std::string& state) const {
  const std::lock_guard lock{mutex_};
  return builder_.make(occasion, cause, state, std::chrono::steady_clock::now());
}

std::optional<std::chrono::system_clock::time_point> TreeWatch::stopping_since() const {
  const std::lock_guard lock{mutex_};
  return stopping_since_;
}

Cause publish_for_tree(TreeServices& services, const std::string& path, const Cause& cause,
                       EventBody body) {
  const auto sequence = ++*services.sequence;
  services.publish({.sequence = sequence,
                    .epoch = services.epoch,
                    .at = std::chrono::system_clock::now(),
                    .monotonic = std::chrono::steady_clock::now(),
                    .path = path,
                    .cause = cause,
                    .body = std::move(body)});
  return {sequence, cause.correlation == 0 ? sequence : cause.correlation};
}

}  // namespace espalier::supervisor
