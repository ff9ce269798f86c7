#include "espalier/supervisor/core/work_role.hpp"

namespace espalier::supervisor {

namespace {

using namespace std::chrono_literals;

struct Pack {
  RestartType restart = RestartType::permanent;
  std::uint32_t restarts_a_minute = 0;
  FatalAction on_timeout = FatalAction::restart;
  SeverityClass severity = SeverityClass::standard;
};

Pack pack_of(WorkRole role) {
  switch (role) {
    case WorkRole::service:
      return {RestartType::permanent, 10, FatalAction::restart, SeverityClass::critical};
    case WorkRole::worker:
      return {RestartType::transient, 3, FatalAction::restart, SeverityClass::standard};
    case WorkRole::job:
      return {RestartType::transient, 1, FatalAction::escalate, SeverityClass::optional};
    case WorkRole::sidecar:
      return {RestartType::permanent, 5, FatalAction::restart, SeverityClass::standard};
    case WorkRole::supervisor:
      return {RestartType::permanent, 3, FatalAction::restart, SeverityClass::critical};
  }
  return {};
}

}  // namespace

void apply_role(WorkRole role, ChildPolicy& policy) {
  const auto pack = pack_of(role);
  policy.restart = pack.restart;
  policy.restart_limit = RestartLimit{pack.restarts_a_minute, 60s};
  policy.on_exhausted = OnExhausted::escalate;
  policy.backoff.initial = 50ms;
  policy.backoff.max = 5s;
  policy.backoff.jitter = Jitter::full;
  policy.on_timeout = pack.on_timeout;
  policy.severity = pack.severity;
}

ChildPolicy policy_for(WorkRole role) {
  ChildPolicy policy;
  apply_role(role, policy);
  return policy;
}

std::string role_warning(const ChildSpec& child) {
  if (child.role != WorkRole::job || child.policy.restart != RestartType::permanent) return {};
  return "a job is done once it completes, but restart: permanent runs it again and again; make it "
         "transient, or a service";
}

}  // namespace espalier::supervisor
