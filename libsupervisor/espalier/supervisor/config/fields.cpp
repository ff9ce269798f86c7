#include "espalier/supervisor/config/internal/shared_fields.hpp"
#include "espalier/supervisor/config/internal/value_dashboard.hpp"

namespace espalier::supervisor::internal {

namespace {

const Words<Propagation>& propagation_words() {
  static const Words<Propagation> words{{Propagation::none, "none"},
                                        {Propagation::escalate_only, "escalate_only"},
                                        {Propagation::full, "full"}};
  return words;
}

void describe_dependency(FieldVisitor& v, GroupSpec::Dependency& dependency) {
  v.value({"group", "The group depended on.", "storage"}, name_value(dependency.group));
  v.value({"propagation",
           "When that one is held: hold this one too, only tell it in an event, or neither."},
          word_value<Propagation>(dependency.propagation, propagation_words()));
}

void describe_group(FieldVisitor& v, GroupSpec& group) {
  v.value({"name", "What children say under group.", "frontends"}, name_value(group.name));
  v.value({"strategy", "Instead of the supervisor's, within the group.", "one_for_all"},
          word_value<Strategy>(group.strategy, strategy_words()));
  v.optional({"restart_limit",
              "The fuse: past it no member is restarted until the group is reset; running members "
              "go on."},
             "max_restarts",
             {group.restart_limit.has_value(),
              [&] {
                if (!group.restart_limit) group.restart_limit.emplace();
              },
              [&] { group.restart_limit.reset(); }},
             [&](FieldVisitor& inner) { describe_limit(inner, group.restart_limit); });
  describe_budget(v, {"restart_budget", "Restarts of all members together, as tokens."},
                  group.budget);
  v.rows({"depends_on", "Groups this one needs."},
         rows_of<GroupSpec::Dependency>(group.depends_on, describe_dependency));
}

void describe_override(FieldVisitor& v, StrategyOverride& each) {
  v.value({"child", "Name of a child.", "cache"}, name_value(each.child));
  v.value({"strategy", "For its failures."}, word_value<Strategy>(each.strategy, strategy_words()));
}

void describe_admission(FieldVisitor& v, AdmissionSpec& admission) {
  v.value({"max_concurrent_starts", "Restarts between start and ready at a time; 0: any number."},
          number_value(admission.max_concurrent_starts, 0, 1'000'000));
  v.value({"restarts_per_second", "Of the whole tree; 0: any number."},
          decimal_value(admission.restarts_per_second, 0, 100'000, Zero::allowed));
  v.value({"burst", "Restarts at once before that rate holds."},
          decimal_value(admission.burst, 1, 1'000'000));
}

void describe_dynamic(FieldVisitor& v, DynamicSpec& dynamic) {
  v.value({"enabled", "Children may be added at run time."}, flag_value(dynamic.enabled));
  v.value({"child_limit", "Most children at a time, those of the file included.", "1000"},
          number_value(dynamic.child_limit, 1, 4'294'967'295));
  v.value({"registry", "At the root only: file that keeps children added at run time.",
           "/var/lib/espalier/shop.children.yaml"},
          text_value(dynamic.registry));
}

}  // namespace

const Words<Strategy>& strategy_words() {
  static const Words<Strategy> words{{Strategy::one_for_one, "one_for_one"},
                                     {Strategy::one_for_all, "one_for_all"},
                                     {Strategy::rest_for_one, "rest_for_one"}};
  return words;
}

void describe_limit(FieldVisitor& v, std::optional<RestartLimit>& limit) {
  v.value({"max_restarts", "Restarts allowed within the window; one more trips the limit."},
          max_restarts_value(limit));
  v.value({"window", "The span over which restarts are counted."}, window_value(limit));
}

void describe_budget(FieldVisitor& v, const FieldInfo& info, std::optional<RestartBudget>& budget) {
  v.optional({info.key, info.help + " A restart without a token waits for one."}, "",
             {budget.has_value(), [&budget] { budget = budget.value_or(RestartBudget{}); },
              [&budget] { budget.reset(); }},
             [&budget](FieldVisitor& inner) {
               RestartBudget unset;
               auto& target = budget ? *budget : unset;
               inner.value({"max_burst", "Tokens to begin with, and at most."},
                           decimal_value(target.max_burst, 1, 10'000));
               inner.value({"recovery_rate_per_sec", "Tokens that come back a second."},
                           decimal_value(target.recovery_rate_per_sec, 0, 1000));
             });
}

void describe_supervisor(FieldVisitor& v, SupervisorSpec& spec, Overrides* overrides) {
  v.value({"name", "Shown wherever the tree is shown."}, name_value(spec.name));
  v.value({"config_version", "Shown with the state of the tree and in plans.", "\"2026-11-21\""},
          text_value(spec.config_version));
  v.optional({"admission",
              "Restarts of the whole tree, so that many failures at once do not become a "
              "stampede."},
             "",
             {spec.admission.has_value(),
              [&] {
                if (!spec.admission) spec.admission.emplace();
              },
              [&] { spec.admission.reset(); }},
             [&](FieldVisitor& inner) {
               AdmissionSpec unset;
               describe_admission(inner, spec.admission ? *spec.admission : unset);
             });
  describe_nested_supervisor(v, spec, overrides);
}

void describe_nested_supervisor(FieldVisitor& v, SupervisorSpec& spec, Overrides* overrides) {
  v.value({"strategy", "Who restarts with a child that exits: itself, all, or those after it."},
          word_value<Strategy>(spec.strategy, strategy_words()));
  v.value({"scope", "With rest_for_one: those started after the child, or its dependents only."},
          word_value<bool>(spec.restart_dependents_only,
                           {{false, "started_after"}, {true, "dependents"}}));
  v.value({"start_failure", "A failure in the first start ends the start, or is retried."},
          word_value<StartFailure>(spec.start_failure, {{StartFailure::abort, "abort"},
                                                        {StartFailure::restart, "restart"}}));
  v.group({"restart_limit", "Past it the supervisor does what escalation_policy says."},
          "max_restarts", [&](FieldVisitor& inner) { describe_limit(inner, spec.restart_limit); });
  v.value({"escalation_policy",
           "Past the limit: end as failed, end the whole tree, or quarantine the child and those "
           "it would have restarted."},
          word_value<EscalationPolicy>(
              spec.escalation, {{EscalationPolicy::escalate_to_parent, "escalate_to_parent"},
                                {EscalationPolicy::shutdown_tree, "shutdown_tree"},
                                {EscalationPolicy::quarantine_scope, "quarantine_scope"}}));
  describe_budget(v, {"restart_budget", "Restarts of all children together, as tokens."},
                  spec.budget);
  v.value({"auto_shutdown", "End normally once any, or all, significant children have ended."},
          word_value<AutoShutdown>(spec.auto_shutdown,
                                   {{AutoShutdown::never, "never"},
                                    {AutoShutdown::any_significant, "any_significant"},
                                    {AutoShutdown::all_significant, "all_significant"}}));
  v.group({"dynamic", "Children added and removed at run time."}, "",
          [&](FieldVisitor& inner) { describe_dynamic(inner, spec.dynamic); });
  v.rows({"groups", "Children that share a strategy, a fuse and a budget."},
         rows_of<GroupSpec>(spec.groups, describe_group));
  if (overrides == nullptr) return;
  v.rows({"overrides", "Strategies of single children; the same as their restart_strategy."},
         rows_of<StrategyOverride>(*overrides, describe_override));
}

void describe_shutdown(FieldVisitor& v, ShutdownSpec& spec, StopPolicy* grace) {
  v.value({"order", "Children stop one after another, last started first, or all at once."},
          word_value<ShutdownOrder>(spec.order, {{ShutdownOrder::reverse, "reverse"},
                                                 {ShutdownOrder::parallel, "parallel"}}));
  if (grace != nullptr) {
    v.value({"graceful_timeout", "Default of policy.graceful_timeout."}, stop_value(*grace));
  }
  v.value({"abort_wait", "How long killed children may take to be gone."},
          duration_value(spec.abort_wait, Zero::refused));
  v.value({"total_timeout", "The whole shutdown takes no longer than this."},
          duration_value(spec.total_timeout, Zero::refused));
}

}  // namespace espalier::supervisor::internal
