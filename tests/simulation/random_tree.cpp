#include "simulation/random_tree.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

namespace espalier::simulation {

using std::chrono::milliseconds;
using std::chrono::seconds;

SupervisorSpec RandomTree::write() {
  left_ = roll(12) == 0 ? 49 : 2 + roll(9);
  auto result = supervisor(0);
  if (roll(4) == 0) {
    result.admission = AdmissionSpec{.max_concurrent_starts = static_cast<std::uint32_t>(roll(3)),
                                     .restarts_per_second = any<double>({0, 5, 20}),
                                     .burst = 2};
  }
  return result;
}

SupervisorSpec RandomTree::supervisor(int depth) {
  SupervisorSpec result;
  result.strategy = any({Strategy::one_for_one, Strategy::one_for_all, Strategy::rest_for_one});
  result.start_failure = any({StartFailure::abort, StartFailure::restart, StartFailure::restart});
  result.escalation =
      any({EscalationPolicy::escalate_to_parent, EscalationPolicy::escalate_to_parent,
           EscalationPolicy::shutdown_tree, EscalationPolicy::quarantine_scope});
  result.auto_shutdown = any({AutoShutdown::never, AutoShutdown::never, AutoShutdown::never,
                              AutoShutdown::any_significant, AutoShutdown::all_significant});
  if (roll(3) == 0) {
    result.restart_limit.reset();
  } else {
    result.restart_limit = RestartLimit{any<std::uint32_t>({0, 1, 3, 8, 20}), some(200, 10'000)};
  }
  if (roll(6) == 0) result.budget = RestartBudget{2, 3};
  result.shutdown = {
      .order = any({ShutdownOrder::reverse, ShutdownOrder::reverse, ShutdownOrder::parallel}),
      .abort_wait = some(20, 500),
      .total_timeout = some(600, 6000)};
  const auto most = depth == 0 ? left_ : std::min<std::size_t>(left_, 6);
  const auto count = depth == 0 ? std::min<std::size_t>(left_, 2 + roll(8)) : roll(most + 1);
  for (std::size_t i = 0; i < count && left_ > 0; ++i)
    result.children.push_back(child(result, depth));
  return result;
}

ChildSpec RandomTree::child(const SupervisorSpec& above, int depth) {
  --left_;
  const auto name = std::string(1, static_cast<char>('a' + above.children.size()));
  ChildSpec result;
  const auto kind = roll(10);
  if (kind < 3 && depth < 3) {
    result = leaf(name);
    result.kind = ChildKind::supervisor;
    result.factory.clear();
    result.process.reset();
    result.can_suspend = false;
    result.policy.watchdog = result.policy.run_timeout = Duration::zero();
    result.policy.readiness = Readiness::immediate;
    if (roll(2) == 0) result.policy.stop.kind = StopPolicy::Kind::infinity;
    auto below = supervisor(depth + 1);
    below.name = name;
    result.supervisor = std::make_shared<const SupervisorSpec>(std::move(below));
  } else if (kind == 3) {
    result = pool(name);
  } else {
    result = leaf(name);
  }
  if (!above.children.empty() && roll(4) == 0) {
    result.dependencies = {above.children[roll(above.children.size())].name};
  }
  const bool can_end = result.policy.restart != RestartType::permanent;
  result.significant = above.auto_shutdown != AutoShutdown::never && can_end && roll(2) == 0;
  return result;
}

ChildSpec RandomTree::leaf(const std::string& name) {
  ChildSpec result{.name = name, .policy = policy()};
  result.kind = any({ChildKind::actor, ChildKind::blocking, ChildKind::process});
  if (result.kind == ChildKind::process) {
    result.process = std::make_shared<const ProcessSpec>(ProcessSpec{.command = {"scripted"}});
    result.can_suspend = roll(4) == 0;
  } else {
    result.factory = result.kind == ChildKind::actor ? "actor" : "function";
  }
  result.permissions = {.restart = roll(2) == 0, .shutdown = roll(8) == 0};
  return result;
}

ChildSpec RandomTree::pool(const std::string& name) {
  PoolSpec inside;
  inside.child = leaf("");
  inside.max = 8;
  inside.size = static_cast<std::uint32_t>(roll(4));
  inside.shutdown = {.abort_wait = some(20, 300), .total_timeout = some(400, 3000)};
  if (roll(2) == 0) inside.restart_limit = RestartLimit{3, seconds{2}};
  left_ -= std::min<std::size_t>(left_, inside.size);
  ChildSpec result{.name = name, .kind = ChildKind::pool, .policy = policy()};
  result.policy.watchdog = result.policy.run_timeout = Duration::zero();
  result.policy.readiness = Readiness::immediate;
  result.pool = std::make_shared<const PoolSpec>(std::move(inside));
  return result;
}

ChildPolicy RandomTree::policy() {
  ChildPolicy result;
  result.restart = any({RestartType::permanent, RestartType::permanent, RestartType::transient,
                        RestartType::temporary});
  result.backoff = {
      .initial = any<Duration>({milliseconds{0}, milliseconds{10}, milliseconds{90}}),
      .max = milliseconds{800},
      .jitter = any({Jitter::none, Jitter::full, Jitter::equal, Jitter::decorrelated}),
      .reset_after = any<Duration>({milliseconds{300}, seconds{5}})};
  result.on_exhausted = any({OnExhausted::escalate, OnExhausted::quarantine, OnExhausted::stop});
  result.severity = any({SeverityClass::standard, SeverityClass::standard, SeverityClass::critical,
                         SeverityClass::optional});
  result.start_timeout = any<Duration>({milliseconds{0}, milliseconds{50}, seconds{2}});
  result.stop = {
      .kind = any({StopPolicy::Kind::timed, StopPolicy::Kind::timed, StopPolicy::Kind::timed,
                   StopPolicy::Kind::brutal_kill, StopPolicy::Kind::infinity}),
      .grace = some(0, 400)};
  result.on_fatal_bug =
      any({FatalAction::escalate, FatalAction::restart, FatalAction::leave_stopped});
  if (roll(3) == 0) result.restart_limit = RestartLimit{any<std::uint32_t>({0, 1, 3}), seconds{2}};
  if (roll(3) == 0) result.readiness = Readiness::explicit_report;
  if (roll(6) == 0) result.watchdog = some(300, 1500);
  if (roll(8) == 0) result.run_timeout = some(100, 3000);
  if (roll(5) == 0) result.budget = RestartBudget{2, 4};
  return result;
}

SupervisorSpec RandomTree::edited(SupervisorSpec spec) {
  if (!spec.children.empty() && roll(3) == 0) {
    auto& chosen = spec.children[roll(spec.children.size())];
    if (chosen.supervisor) {
      chosen.supervisor = std::make_shared<const SupervisorSpec>(edited(*chosen.supervisor));
      return spec;
    }
    if (!chosen.pool && !chosen.significant) {
      chosen.policy = policy();
      return spec;
    }
  }
  if (!spec.children.empty() && roll(2) == 0) {
    const auto gone = spec.children[roll(spec.children.size())].name;
    for (auto& child : spec.children)
      std::erase(child.dependencies, gone);
    std::erase_if(spec.children, [&](const auto& child) { return child.name == gone; });
  } else {
    spec.children.push_back(leaf("new" + std::to_string(roll(1000))));
  }
  return spec;
}

TreePaths paths_of(const SupervisorSpec& spec) {
  TreePaths result;
  const std::function<void(const std::string&, const SupervisorSpec&)> walk =
      [&](const std::string& path, const SupervisorSpec& level) {
        result.supervisors.push_back(path);
        for (const auto& child : level.children) {
          const auto below = join_path(path, child.name);
          if (child.supervisor) {
            walk(below, *child.supervisor);
          } else if (child.pool) {
            result.pools.push_back(below);
            for (std::uint32_t i = 1; i <= child.pool->size; ++i)
              result.leaves.push_back(join_path(below, std::to_string(i)));
          } else {
            result.leaves.push_back(below);
          }
        }
      };
  walk("/", spec);
  return result;
}

}  // namespace espalier::simulation
