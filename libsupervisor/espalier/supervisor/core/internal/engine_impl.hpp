#pragma once

#include "espalier/supervisor/core/backoff.hpp"
#include "espalier/supervisor/core/deadline_heap.hpp"
#include "espalier/supervisor/core/engine.hpp"
#include "espalier/supervisor/core/restart_window.hpp"
#include "espalier/supervisor/core/token_bucket.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier::supervisor {

/// The state of one supervisor. The parts live in files of their own:
///   engine.cpp           inputs in, effects out, events
///   engine_children.cpp  slots, order, names, groups, what is seen of a child
///   engine_start.cpp     one attempt: what it waits for, its reports; the start sequence
///   engine_timers.cpp    deadlines and probes of one child
///   engine_exit.cpp      an exit and what it leads to
///   engine_rules.cpp     the rules of a decision
///   engine_scope.cpp     restart of several: stop, wait, start
///   engine_closing.cpp   shutdown, giving up, a failed start: all end the same way
///   engine_order.cpp     what an operator asks of one child
///   engine_intent.cpp    bringing a child up or down because somebody wants it so
///   engine_answer.cpp    commands that wait for their child, and what they are answered
///   engine_reload.cpp    what an operator asks of the supervisor: add, reload, reset a group
///
///     idle ──start──▶ starting ──▶ serving ──┐
///                         │          │       ├──▶ closing ──▶ finished
///                         └──────────┴───────┘
///
/// While starting or serving at most one scope restart (or reload) is under way, and at most one
/// start sequence: the first start's or the scope's.
class SupervisorEngine::Impl {
 public:
  using Phase = ChildPhase;

  Impl(SupervisorSpec spec, EngineContext context);

  std::vector<Effect> handle(const Input& what, TimePoint now);
  std::optional<TimePoint> next_deadline() { return deadlines_.next(); }
  const SupervisorSpec& spec() const { return spec_; }
  ChildIndex size() const { return static_cast<ChildIndex>(children_.size()); }
  std::shared_ptr<const ChildSpec> child_spec(ChildIndex i) const { return specs_.at(i); }
  ChildView view(ChildIndex i, TimePoint now);
  std::vector<ChildIndex> take_changed();
  Phase phase(ChildIndex i) const { return children_.at(i).phase; }
  Generation generation(ChildIndex i) const { return children_.at(i).generation; }
  std::uint64_t slots_touched() const { return touched_; }

 private:
  static constexpr TimePoint never = TimePoint::max();
  static constexpr ChildIndex nobody_there = ~ChildIndex{0};
  static constexpr std::uint32_t scope_slot = 0;
  static constexpr std::uint32_t closing_slot = 1;
  static std::uint32_t slot_of(ChildIndex i) { return i + 2; }

  /// Who asked a child to stop; decides what its exit means.
  enum class Asked : std::uint8_t { nobody, scope, command, restart_command, timeout, closing };

  /// A command that waits for its child to get where it should.
  struct Ticket {
    std::uint64_t number = 0;
    bool joined = false;
    std::shared_ptr<const Command> command = {};
  };

  struct ProbeState {
    std::uint64_t number = 0;
    bool running = false;
    std::uint32_t in_a_row = 0;  ///< Failures.
    TimePoint due = never;
  };

  struct Child {
    Phase phase = Phase::idle;
    Asked asked = Asked::nobody;
    Intent intent = Intent::run;
    bool satisfied = false;  ///< Ready, or completed: dependants may start.
    bool held = false;       ///< Not to be started by the supervisor itself.
    bool straggler = false;
    bool reported = false;         ///< Its shutdown status is recorded.
    bool restart_wanted = false;   ///< An operator's restart waits for the old attempt to end.
    bool counted_restart = false;  ///< The attempt under way is an automatic restart.
    bool gates_open = false;
    bool admitted = false;    ///< Let in by the tree and not yet through.
    bool dynamic = false;     ///< Added at run time.
    bool tentative = false;   ///< Added and never yet ready: forgotten should its start fail.
    bool by_primary = false;  ///< A sidecar that is down because its primary is.
    bool changed = false;
    std::optional<ExitKind> forced = {};  ///< What a tripped timer makes of the coming exit.
    std::int32_t group = -1;
    Generation generation = 0;
    std::uint32_t attempt = 0;
    std::uint32_t in_a_row = 0;
    std::uint64_t restarts_total = 0;
    TimePoint since = {};
    TimePoint started_at = {};
    TimePoint ready_at = {};
    TimePoint asked_at = {};
    TimePoint start_until = never;
    TimePoint alive_until = never;
    TimePoint run_until = never;
    Duration last_delay = {};
    Cause cause = {};
    Cause decided = {};  ///< The event of the last decision.
    RestartWindow window = {};
    std::optional<std::int64_t> pid = {};
    std::shared_ptr<const ExitRecord> last_exit = {};
    std::shared_ptr<const RestartDecision> last_decision = {};
    std::shared_ptr<const std::string> status = {};
    std::unique_ptr<TokenBucket> bucket = {};
    std::unique_ptr<ProbeState> probe = {};
    std::unique_ptr<std::vector<Ticket>> tickets = {};
    std::unique_ptr<std::vector<ChildShutdownStatus>> subtree = {};
    std::unique_ptr<std::vector<ChildIndex>> sidecars = {};  ///< Those linked to it.
  };

  struct Group {
    GroupSpec spec = {};
    bool held = false;
    RestartWindow window = {};
    std::unique_ptr<TokenBucket> bucket = {};
    std::vector<ChildIndex> members = {};
  };

  enum class Mode : std::uint8_t { idle, starting, serving, closing, finished };

  /// Starts members one after another, in start order.
  struct Sequence {
    bool active = false;
    std::size_t next = 0;
    std::optional<ChildIndex> awaited = {};
    bool is_restart = false;  ///< Temporary and held members are left out.
    std::vector<ChildIndex> members = {};
  };

  struct Reload {
    Ticket ticket = {};
    std::vector<std::string> plan = {};
    events::PlanApplied counts = {};
    std::vector<ChildIndex> removed = {};
    bool adopted = false;  ///< The new specification holds.
  };

  struct Scope {
    enum class Step : std::uint8_t { none, stopping, waiting, starting };
    Step step = Step::none;
    ChildIndex trigger = nobody_there;     ///< Whose failure it was; nobody's: a reload.
    std::vector<ChildIndex> members = {};  ///< In start order.
    std::size_t cursor = 0;                ///< Members from here on are down.
    TimePoint due = {};
    TimePoint began = {};
    Cause cause = {};
    bool is_quarantine = false;  ///< Its members stay down.
    std::unique_ptr<Reload> reload = {};
  };

  struct Closing {
    enum class Step : std::uint8_t { draining, aborting };
    Step step = Step::draining;
    effect::Result result = effect::Result::stopped;
    StopCause stop_cause = StopCause::shutdown;
    ExitRecord exit = {};
    bool ends_tree = false;
    Cause cause = {};
    TimePoint drain_until = {};
    Duration abort_wait = {};
    std::uint32_t cursor = 0;
    std::uint32_t awaited = 0;  ///< Live and no straggler.
    std::uint32_t straggling = 0;
    std::vector<ChildIndex> stragglers = {};
    std::vector<ChildShutdownStatus> statuses = {};
  };

  // engine.cpp
  void on(const input::Start& in);
  void on(const input::TimePassed& in);
  std::uint64_t emit(Cause cause, EventBody body);
  std::uint64_t emit_child(ChildIndex i, EventBody body);
  std::uint64_t emit_child(ChildIndex i, Cause cause, EventBody body);
  std::uint64_t emit_at(effect::Emit what);
  void settle();

  // engine_children.cpp
  Child& at(ChildIndex i);
  const ChildSpec& spec_of(ChildIndex i) const { return *specs_[i]; }
  std::string path_of(ChildIndex i) const { return join_path(context_.path, spec_of(i).name); }
  ChildIndex create_child(std::shared_ptr<const ChildSpec> spec);
  void forget_child(ChildIndex i);
  void link(ChildIndex i);
  void relink_all();
  void set_order(const std::vector<ChildIndex>& order);
  void compact_order();
  std::optional<ChildIndex> find(const std::string& name);
  std::string nearest_name(const std::string& name);
  std::int32_t group_named(const std::string& name) const;
  void set_groups(std::vector<GroupSpec> specs);
  void become(ChildIndex i, Phase phase);
  void touch(ChildIndex i);
  bool is_current(ChildIndex i, Generation generation);
  void report_stale(ChildIndex i, Generation generation);
  static bool is_live(Phase phase);
  static bool is_waiting(Phase phase);
  Strategy strategy_of(ChildIndex i) const;

  // engine_start.cpp
  void on(const input::ChildRunning& in);
  void on(const input::ChildReady& in);
  void on(const input::ChildAlive& in);
  void on(const input::ChildExtend& in);
  void on(const input::ChildStatus& in);
  void on(const input::Admitted& in);
  void start_child(ChildIndex i);
  void begin_attempt(ChildIndex i);
  void become_ready(ChildIndex i);
  void release_dependants(ChildIndex i);
  std::optional<ChildIndex> unready_dependency(ChildIndex i);
  void end_admission(ChildIndex i);
  void begin_sequence(std::vector<ChildIndex> members, bool is_restart);
  void advance_sequence();
  bool may_start_in_sequence(ChildIndex i);
  void end_sequence();

  // engine_timers.cpp
  void on(const input::ProbeResult& in);
  void on_child_deadline(ChildIndex i);
  void on_starting_deadline(ChildIndex i);
  void on_running_deadline(ChildIndex i);
  void rearm(ChildIndex i);
  void arm(ChildIndex i, TimePoint due) { deadlines_.arm(slot_of(i), due); }
  void disarm(ChildIndex i) { deadlines_.disarm(slot_of(i)); }
  void end_for(ChildIndex i, ExitKind kind, const std::string& probe, const std::string& message);
  void schedule_probe(ChildIndex i, TimePoint due);
  void run_probe(ChildIndex i);
  void cancel_probe(ChildIndex i);
  input::ProbePurpose probe_purpose(ChildIndex i) const;
  void on_gate_result(ChildIndex i, const input::ProbeResult& in);
  void on_readiness_result(ChildIndex i, const input::ProbeResult& in);
  void on_health_result(ChildIndex i, const input::ProbeResult& in);

  // engine_exit.cpp
  void on(const input::ChildExited& in);
  ExitRecord classify(ChildIndex i, const ExitRecord& reported) const;
  void after_exit(ChildIndex i, Phase before, Asked asked);
  void end_of_abandoned(ChildIndex i);
  void judge(ChildIndex i, Phase before);
  void carry_out(ChildIndex i, const RestartDecision& d);
  const std::string* orphan_below(ChildIndex i) const;
  void keep_from_orphan(ChildIndex i, const std::string& orphan);
  void leave_stopped(ChildIndex i, const RestartDecision& d);
  void auto_shutdown(ChildIndex i);
  void escalate(ChildIndex i, const RestartDecision& d);
  void quarantine_scope(ChildIndex i, const RestartDecision& d);
  void fail_start(ChildIndex i);
  void restart_by_strategy(ChildIndex i, Duration delay, Phase waiting);
  void emit_decision(ChildIndex i, const std::shared_ptr<const RestartDecision>& d);
  void forgive_after_stable_run(ChildIndex i);

  // engine_rules.cpp
  RestartDecision decide(ChildIndex i, Phase before);
  bool consult_child_limit(ChildIndex i, RestartDecision& d);
  bool consult_group_limit(ChildIndex i, RestartDecision& d);
  bool consult_supervisor_limit(ChildIndex i, RestartDecision& d);
  TimePoint consult_budgets(ChildIndex i, RestartDecision& d);
  void refund_budgets(ChildIndex i);
  TokenBucket* bucket_of(ChildIndex i);
  void hold_group(std::int32_t group, const std::string& reason);

  // engine_scope.cpp
  std::vector<ChildIndex> scope_of(ChildIndex i);
  void sort_by_position(std::vector<ChildIndex>& members) const;
  void begin_scope(ChildIndex trigger, Duration delay);
  void pursue_scope();
  void start_scope();
  void ask_to_stop(ChildIndex i, Asked asked, StopCause cause);
  void abort_child(ChildIndex i);
  void abandon(ChildIndex i);
  void give_up_on(ChildIndex i);
  void cancel_wait(ChildIndex i, const std::string& cause);
  bool is_member_of_scope(ChildIndex i) const;
  bool awaits_scope_restart(ChildIndex i) const;
  bool in_stopping_scope(ChildIndex i) const;
  bool awaits_sequence(ChildIndex i) const;

  // engine_closing.cpp
  void on(const input::Stop& in);
  void on(const input::Abort& in);
  void begin_closing(Closing plan, Duration total);
  void count_children_to_close();
  void pursue_closing();
  void ask_next_in_order();
  void become_straggler(ChildIndex i);
  void end_drain();
  void abort_stragglers();
  void hurry_stragglers();
  void abandon_stragglers();
  void record_status(ChildIndex i, ChildShutdownOutcome outcome);
  void record_late_end(ChildIndex i);
  void exited_while_closing(ChildIndex i, Phase before, Asked asked);
  void finish();

  // engine_order.cpp
  void on(const input::Order& in);
  void order_child(ChildIndex i, const Ticket& ticket);
  void order_start(ChildIndex i, const Ticket& ticket);
  void order_restart(ChildIndex i, const Ticket& ticket);
  void order_resume(ChildIndex i, const Ticket& ticket);
  void order_down(ChildIndex i, const Ticket& ticket, Intent intent);
  void order_remove(ChildIndex i, const Ticket& ticket);
  void order_reset(ChildIndex i, const Ticket& ticket);
  void order_policy(ChildIndex i, const Ticket& ticket);
  bool try_suspend(ChildIndex i, const Ticket& ticket);
  void resume_suspended(ChildIndex i);

  // engine_intent.cpp
  void bring_up(ChildIndex i);
  void bring_down(ChildIndex i, Intent intent);
  void land(ChildIndex i);
  void refuse_removal(ChildIndex i, const std::string& orphan);
  void start_by_command(ChildIndex i);
  void stop_linked_sidecars(ChildIndex primary);
  void start_linked_sidecars(ChildIndex primary);
  void on(const input::ChildAsks& in);

  // engine_answer.cpp
  static Phase phase_wanted_by(CommandKind kind);
  void wait_for(ChildIndex i, const Ticket& ticket);
  void supersede(ChildIndex i, bool those_for_up);
  void answer_tickets(ChildIndex i);
  void answer_all(ChildIndex i, Error::Code code, const std::string& message);
  void would(ChildIndex i, const Ticket& ticket, const std::string& text);
  void unchanged(ChildIndex i, const Ticket& ticket, const std::string& text);
  void done(ChildIndex i, const Ticket& ticket, const std::string& text);
  void refuse(const Ticket& ticket, Error::Code code, const std::string& message);
  void reply(const Ticket& ticket, CommandOutcome outcome);
  void tell_command(const Ticket& ticket, const std::string& result, const std::string& text);

  // engine_reload.cpp
  void order_supervisor(const Ticket& ticket);
  void add_child(const Ticket& ticket);
  std::optional<Error> problem_of_new(const ChildSpec& spec);
  void reset_group(const Ticket& ticket);
  void reload(const Ticket& ticket);
  void apply_reload(const Ticket& ticket);
  void adopt_reload();
  ChildIndex adopt_child(const ChildSpec& spec);
  void finish_reload();

  SupervisorSpec spec_;  ///< Without its children.
  EngineContext context_;
  RandomSource random_;
  std::vector<std::shared_ptr<const ChildSpec>> specs_;
  std::vector<Child> children_;
  std::vector<ChildIndex> free_;         ///< Slots of forgotten children.
  std::vector<ChildIndex> order_;        ///< Start order: position -> child, or nobody_there.
  std::vector<std::uint32_t> position_;  ///< child -> position.
  std::size_t holes_ = 0;                ///< Positions where nobody is.
  std::vector<std::vector<ChildIndex>> dependencies_;  ///< Empty where nobody has any.
  std::vector<std::vector<ChildIndex>> dependants_;
  std::unordered_map<std::string, ChildIndex> names_;  ///< Made when first needed.
  bool names_known_ = false;
  std::vector<Group> groups_;
  std::vector<ChildIndex> changed_;
  std::vector<ChildIndex> waiting_adds_;  ///< Added while a sequence or scope was under way.
  std::optional<Ticket> waiting_reload_;
  DeadlineHeap deadlines_;
  RestartWindow window_;
  std::unique_ptr<TokenBucket> bucket_;
  std::uint64_t last_probe_ = 0;  ///< Their numbers never come twice.
  Mode mode_ = Mode::idle;
  TimePoint now_ = {};
  TimePoint started_at_ = {};
  Cause cause_ = {};  ///< Of the supervisor's own events.
  Sequence sequence_;
  Scope scope_;
  Closing closing_;
  std::vector<Effect> out_;
  std::uint64_t touched_ = 0;
};

}  // namespace espalier::supervisor
