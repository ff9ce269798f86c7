#include "espalier/supervisor/config/internal/shared_fields.hpp"

namespace espalier::supervisor::internal {

namespace {

using ProbePointer = std::shared_ptr<const ProbeSpec>;

const Words<FatalAction>& fatal_words() {
  static const Words<FatalAction> words{{FatalAction::restart, "restart"},
                                        {FatalAction::leave_stopped, "leave_stopped"},
                                        {FatalAction::escalate, "escalate"}};
  return words;
}

void describe_backoff(FieldVisitor& v, Backoff& backoff) {
  v.value({"initial", "Delay before the first restart in a row; each further one doubles it."},
          duration_value(backoff.initial, Zero::refused));
  v.value({"max", "No delay is longer than this."}, duration_value(backoff.max, Zero::refused));
  v.value({"jitter", "How delays are spread, so that children do not come back in step."},
          word_value<Jitter>(backoff.jitter, {{Jitter::none, "none"},
                                              {Jitter::full, "full"},
                                              {Jitter::equal, "equal"},
                                              {Jitter::decorrelated, "decorrelated"}}));
  v.value({"reset_after", "A child that ran this long begins again with the initial delay."},
          duration_value(backoff.reset_after, Zero::allowed));
}

void describe_probe(FieldVisitor& v, ProbeSpec& probe) {
  v.value({"exec", "A command that ends with 0.", "[pg_isready, -q]"}, probe_command_value(probe));
  v.value({"tcp", "A connection to host:port or unix:/path.", "127.0.0.1:5432"},
          probe_address_value(probe, ProbeSpec::Kind::tcp));
  v.value({"http", "A GET answered with 200 to 399.", "127.0.0.1:8080/health"},
          probe_address_value(probe, ProbeSpec::Kind::http));
  v.value({"function", "Name under which the programme registered a check.", "builtin.ok"},
          probe_function_value(probe));
  v.value({"path", "Of the HTTP request; may also stand behind host:port.", "/health"},
          probe_path_value(probe));
  v.value({"initial_delay",
           "For readiness, from the start of the child to the first question; for a health "
           "check, from ready, and at least one interval."},
          duration_value(probe.initial_delay, Zero::allowed));
  v.value({"interval", "From one answer to the next question."},
          duration_value(probe.interval, Zero::refused));
  v.value({"timeout", "An answer later than this is a failure."},
          duration_value(probe.timeout, Zero::refused));
  v.value({"retries", "Failures in a row that make a child unhealthy."},
          number_value(probe.retries, 1, 1000));
}

// A probe is shared by whoever inherits it: what is read goes into a copy of it.
void describe_probe_at(FieldVisitor& v, const FieldInfo& info, ProbePointer& target,
                       const std::function<void(bool)>& given) {
  auto copy = std::make_shared<ProbeSpec>(target ? *target : ProbeSpec{});
  v.optional(info, "",
             {target != nullptr,
              [&] {
                target = copy;
                given(true);
              },
              [&] {
                target.reset();
                given(false);
              }},
             [copy](FieldVisitor& inner) { describe_probe(inner, *copy); });
}

void describe_readiness(FieldVisitor& v, ChildPolicy& policy) {
  bool given = false;
  describe_probe_at(v, {"probe", "Asks from outside until it succeeds."}, policy.readiness_probe,
                    [&](bool there) {
                      given = there;
                      policy.readiness = there ? Readiness::probe : Readiness::immediate;
                    });
  auto mode = word_value<Readiness>(policy.readiness, {{Readiness::immediate, "immediate"},
                                                       {Readiness::explicit_report, "explicit"},
                                                       {Readiness::probe, "probe"}});
  mode.parse = [&, parse = mode.parse](const std::string& key, const Text& text) {
    if (!parse(key, text)) return false;
    if (policy.readiness == Readiness::probe) return true;
    // Explicit beside a probe means that readiness is not taken for granted: the probe says it.
    if (given && policy.readiness == Readiness::explicit_report)
      policy.readiness = Readiness::probe;
    if (!given) policy.readiness_probe.reset();
    return true;
  };
  v.value({"mode", "Once it runs, once it says so, or once the probe succeeds."}, mode);
}

}  // namespace

void describe_policy(FieldVisitor& v, ChildPolicy& policy) {
  v.value({"restart", "Restart always, unless the child completed, or never."},
          word_value<RestartType>(policy.restart, {{RestartType::permanent, "permanent"},
                                                   {RestartType::transient, "transient"},
                                                   {RestartType::temporary, "temporary"}}));
  v.group(
      {"child_restart_limit", "The limit of one child by itself."}, "max_restarts",
      [&](FieldVisitor& inner) {
        describe_limit(inner, policy.restart_limit);
        inner.value(
            {"on_exhausted",
             "Past it: its supervisor gives up, the child waits for an operator, or it stays "
             "stopped."},
            word_value<OnExhausted>(policy.on_exhausted, {{OnExhausted::escalate, "escalate"},
                                                          {OnExhausted::quarantine, "quarantine"},
                                                          {OnExhausted::stop, "stop"}}));
      });
  v.group({"backoff", "Delays between restarts."}, "",
          [&](FieldVisitor& inner) { describe_backoff(inner, policy.backoff); });
  v.value({"no_backoff_for", "A failure of this category is restarted without delay."},
          categories_value(policy.no_backoff_for));
  describe_budget(v, {"child_restart_budget", "Restarts of one child, as tokens."}, policy.budget);
  v.group({"readiness", "When a child counts as started."}, "mode",
          [&](FieldVisitor& inner) { describe_readiness(inner, policy); });
  v.value({"start_timeout", "Longest time from start to ready; 0s for no bound."},
          duration_value(policy.start_timeout, Zero::allowed));
  v.group({"heartbeat", "Signs of life a child gives by itself."}, "stale_after",
          [&](FieldVisitor& inner) {
            inner.value({"interval", "How often; 0s: a third of stale_after."},
                        duration_value(policy.heartbeat_interval, Zero::allowed));
            inner.value({"stale_after", "A longer silence is a failure; 0s: it need give none."},
                        duration_value(policy.watchdog, Zero::allowed));
          });
  describe_probe_at(v, {"health_check", "Asks from outside while the child runs."},
                    policy.health_check, [](bool) {});
  v.value({"run_timeout", "Longest time from ready to the end of an attempt; 0s for no bound."},
          duration_value(policy.run_timeout, Zero::allowed));
  v.value({"graceful_timeout", "How long a child may take to stop before it is killed."},
          stop_value(policy.stop));
  v.value({"on_fatal_config", "After an exit that says the configuration is wrong."},
          word_value<FatalAction>(policy.on_fatal_config, fatal_words()));
  v.value({"on_fatal_bug", "After an exit that says the programme is wrong."},
          word_value<FatalAction>(policy.on_fatal_bug, fatal_words()));
  v.value({"on_timeout", "After an attempt that started or ran for too long."},
          word_value<FatalAction>(policy.on_timeout, fatal_words()));
  v.value({"severity",
           "Critical: a used-up limit always escalates. Optional: it never does, and the tree is "
           "healthy without the child."},
          word_value<SeverityClass>(policy.severity, {{SeverityClass::critical, "critical"},
                                                      {SeverityClass::standard, "standard"},
                                                      {SeverityClass::optional, "optional"}}));
}

}  // namespace espalier::supervisor::internal
