#include "espalier/supervisor/core/run_summary_builder.hpp"

#include <utility>

namespace espalier::supervisor {

namespace {

// One that was ended by force after its grace did what its supervisor wanted, if late.
bool counts_as_failure(const ExitRecord& exit) {
  return exit.is_failure() && exit.kind != ExitKind::aborted;
}

}  // namespace

void RunSummaryBuilder::add(const Event& event) {
  if (!std::exchange(begun_, true)) {
    started_at_ = event.at;
    began_ = event.monotonic;
  }
  if (const auto* exited = std::get_if<events::ChildExited>(&event.body)) {
    if (!counts_as_failure(exited->exit)) return;
    ++failures_;
    if (recent_failures_.size() == failures_kept) recent_failures_.pop_front();
    recent_failures_.push_back({event.path, exited->exit});
  } else if (const auto* decided = std::get_if<events::RestartDecided>(&event.body)) {
    decided_for_ = event.path;
    last_decision_ = decided->decision;
  } else if (std::holds_alternative<events::ChildRestarted>(event.body)) {
    ++restarts_;
  } else if (std::holds_alternative<events::CommandDone>(event.body)) {
    ++commands_;
  }
}

std::string RunSummaryBuilder::occasion_of(const Event& event) {
  if (const auto* tripped = std::get_if<events::FuseTripped>(&event.body)) {
    return tripped->scope == "supervisor" ? "meltdown" : "";
  }
  if (std::holds_alternative<events::Escalated>(event.body)) return "escalation";
  if (const auto* stage = std::get_if<events::ShutdownStageReached>(&event.body)) {
    const bool root = event.path == "/";
    return root && stage->stage == ShutdownStage::abort_stragglers ? "shutdown_timeout" : "";
  }
  return "";
}

RunSummary RunSummaryBuilder::make(std::string occasion, std::string cause, std::string state,
                                   TimePoint now) const {
  std::vector<std::string> failures;
  for (const auto& failure : recent_failures_)
    failures.push_back(failure.path + ": " + describe(failure.exit));
  return {.occasion = std::move(occasion),
          .cause = std::move(cause),
          .started_at = started_at_,
          .uptime = begun_ ? now - began_ : Duration::zero(),
          .restarts = restarts_,
          .failures = failures_,
          .commands = commands_,
          .recent_failures = std::move(failures),
          .final_decision = last_decision_ ? explain(decided_for_, *last_decision_) : "",
          .state = std::move(state)};
}

}  // namespace espalier::supervisor
