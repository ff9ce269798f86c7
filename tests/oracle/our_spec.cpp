#include "oracle/our_spec.hpp"

#include <chrono>
#include <memory>

namespace espalier::oracle {

namespace sv = supervisor;

namespace {

constexpr auto very_long = std::chrono::hours{1000};

}  // namespace

sv::ChildSpec spec_of(const ChildDecl& decl) {
  sv::ChildSpec spec;
  spec.name = decl.name;
  spec.significant = decl.significant;
  spec.policy.restart = decl.restart;
  spec.policy.restart_limit.reset();
  spec.policy.backoff = {sv::Duration::zero(), sv::Duration::zero(), sv::Jitter::none,
                         std::chrono::seconds{30}};
  spec.policy.start_timeout = sv::Duration::zero();
  spec.policy.stop = {sv::StopPolicy::Kind::infinity, sv::Duration::zero()};
  if (decl.nature == Nature::brutal) spec.policy.stop.kind = sv::StopPolicy::Kind::brutal_kill;
  if (decl.nature == Nature::deaf) {
    spec.policy.stop = {sv::StopPolicy::Kind::timed, std::chrono::milliseconds{1}};
  }
  if (decl.nested && decl.nested->is_pool) {
    spec.kind = sv::ChildKind::pool;
    spec.pool = std::make_shared<const sv::PoolSpec>(pool_of(*decl.nested));
  } else if (decl.nested) {
    spec.kind = sv::ChildKind::supervisor;
    spec.supervisor = std::make_shared<const sv::SupervisorSpec>(spec_of(*decl.nested));
  }
  return spec;
}

sv::PoolSpec pool_of(const SupervisorDecl& decl) {
  sv::PoolSpec pool;
  pool.child = spec_of(decl.children.front());
  pool.restart_limit = sv::RestartLimit{decl.intensity, std::chrono::hours{1}};
  pool.shutdown.total_timeout = very_long;
  return pool;
}

sv::SupervisorSpec spec_of(const SupervisorDecl& decl) {
  sv::SupervisorSpec spec;
  spec.strategy = decl.strategy;
  spec.restart_limit = sv::RestartLimit{decl.intensity, std::chrono::hours{1}};
  spec.auto_shutdown = decl.auto_shutdown;
  spec.shutdown.total_timeout = very_long;
  for (const auto& child : decl.children)
    spec.children.push_back(spec_of(child));
  return spec;
}

sv::ExitRecord exit_of(Reason reason) {
  sv::ExitRecord exit;
  switch (reason) {
    case Reason::normal:
      exit.kind = sv::ExitKind::completed;
      break;
    case Reason::shutdown:
    case Reason::because:
      exit.kind = sv::ExitKind::stopped;
      break;
    case Reason::crash:
      exit.kind = sv::ExitKind::panicked;
      exit.category = sv::FailureCategory::panic;
      break;
    case Reason::error:
      exit.kind = sv::ExitKind::failed;
      exit.category = sv::FailureCategory::recoverable;
      break;
    case Reason::killed:
      exit.kind = sv::ExitKind::signalled;
      exit.category = sv::FailureCategory::recoverable;
      exit.signal = 9;
      break;
  }
  return exit;
}

}  // namespace espalier::oracle
