#pragma once

#include "espalier/supervisor/core/backoff.hpp"
#include "espalier/supervisor/core/deadline_heap.hpp"
#include "espalier/supervisor/core/engine.hpp"
#include "espalier/supervisor/core/restart_window.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// The state of one supervisor. The parts live in files of their own:
///   engine.cpp          inputs in, effects out, deadlines
///   engine_start.cpp    one attempt, the start sequence, dependencies
///   engine_exit.cpp     an exit, the rules, the verdict
///   engine_scope.cpp    restart of several: stop, wait, start
///   engine_closing.cpp  shutdown, giving up, a failed start: all end the same way
///   engine_command.cpp  what an operator asks of one child
///
///     idle ──start──▶ starting ──▶ serving ──┐
///                         │          │       ├──▶ closing ──▶ finished
///                         └──────────┴───────┘
///
/// While starting or serving at most one scope restart is under way, and at most one start
/// sequence: the first start's or the scope's.
class SupervisorEngine::Impl {
 public:
  Impl(SupervisorSpec spec, EngineContext context);

  std::vector<Effect> handle(const Input& what, TimePoint now);
  std::optional<TimePoint> next_deadline() { return deadlines_.next(); }
  const SupervisorSpec& spec() const { return spec_; }
  Phase phase(ChildIndex i) const { return children_.at(i).phase; }
  Generation generation(ChildIndex i) const { return children_.at(i).generation; }
  std::uint64_t slots_touched() const { return touched_; }

 private:
  /// Who asked a child to stop; decides what its exit means.
  enum class Asked : std::uint8_t { nobody, scope, command, restart_command, timeout, closing };

  struct Child {
    Phase phase = Phase::idle;
    Asked asked = Asked::nobody;
    bool satisfied = false;  ///< Ready, or completed: dependants may start.
    bool held = false;       ///< Not to be started by the supervisor itself.
    bool straggler = false;
    bool reported = false;         ///< Its shutdown status is recorded.
    bool restart_wanted = false;   ///< An operator's restart waits for the old attempt to end.
    bool counted_restart = false;  ///< The attempt under way is an automatic restart.
    std::optional<ExitKind> forced = {};  ///< What a tripped timer makes of the coming exit.
    Generation generation = 0;
    std::uint32_t attempt = 0;
    std::uint32_t in_a_row = 0;
    std::uint64_t restarts_total = 0;
    TimePoint started_at = {};
    TimePoint ready_at = {};
    TimePoint asked_at = {};
    TimePoint alive_until = {};
    Duration last_delay = {};
    Cause cause = {};
    RestartWindow window = {};
    std::unique_ptr<ExitRecord> last_exit = {};
    std::unique_ptr<std::vector<ChildShutdownStatus>> subtree = {};
  };

  enum class Mode : std::uint8_t { idle, starting, serving, closing, finished };

  /// Starts members one after another, in start order.
  struct Sequence {
    bool active = false;
    std::uint32_t next = 0;  ///< Position.
    std::optional<ChildIndex> awaited = {};
    bool is_restart = false;  ///< Temporary and held members are left out.
  };

  struct Scope {
    enum class Step : std::uint8_t { none, stopping, waiting, starting };
    Step step = Step::none;
    ChildIndex trigger = 0;    ///< Whose failure it was.
    std::uint32_t first = 0;   ///< Position of its first member; it ends with the last child.
    std::uint32_t cursor = 0;  ///< Positions from here on are down.
    TimePoint due = {};
    TimePoint began = {};
    Cause cause = {};
  };

  struct Closing {
    enum class Step : std::uint8_t { draining, aborting };
    Step step = Step::draining;
    effect::Result result = effect::Result::stopped;
    StopCause stop_cause = StopCause::shutdown;
    ExitRecord exit = {};
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
  void on(const input::Start& in, TimePoint now);
  void on(const input::TimePassed& in, TimePoint now);
  void on_deadline(std::uint32_t slot, TimePoint now);
  void on_child_deadline(ChildIndex i, TimePoint now);
  std::uint64_t emit(Cause cause, EventBody body);
  std::uint64_t emit_child(ChildIndex i, EventBody body);
  std::uint64_t emit_child(ChildIndex i, Cause cause, EventBody body);
  std::uint64_t emit_at(effect::Emit what);
  Child& at(ChildIndex i);
  const ChildSpec& spec_of(ChildIndex i) const { return spec_.children[i]; }
  std::string path_of(ChildIndex i) const { return join_path(context_.path, spec_of(i).name); }
  bool is_current(ChildIndex i, Generation generation);
  void report_stale(ChildIndex i, Generation generation);
  static bool is_live(Phase phase);

  // engine_start.cpp
  void on(const input::ChildRunning& in, TimePoint now);
  void on(const input::ChildReady& in, TimePoint now);
  void on(const input::ChildAlive& in, TimePoint now);
  void on(const input::ChildExtend& in, TimePoint now);
  void on(const input::ChildStatus& in, TimePoint now);
  void start_child(ChildIndex i, TimePoint now);
  void become_ready(ChildIndex i, TimePoint now);
  void release_dependants(ChildIndex i, TimePoint now);
  bool dependencies_satisfied(ChildIndex i);
  void begin_sequence(std::uint32_t first, bool is_restart);
  void advance_sequence(TimePoint now);
  bool may_start_in_sequence(ChildIndex i);
  void end_sequence(TimePoint now);

  // engine_exit.cpp
  void on(const input::ChildExited& in, TimePoint now);
  ExitRecord classify(ChildIndex i, const ExitRecord& reported) const;
  void after_exit(ChildIndex i, Phase before, Asked asked, TimePoint now);
  void end_of_abandoned(ChildIndex i, TimePoint now);
  void judge(ChildIndex i, Phase before, TimePoint now);
  RestartDecision decide(ChildIndex i, Phase before, TimePoint now);
  bool consult_restart_type(RestartDecision& d) const;
  bool consult_fatal_category(ChildIndex i, RestartDecision& d) const;
  bool consult_child_limit(ChildIndex i, RestartDecision& d, TimePoint now);
  bool consult_supervisor_limit(ChildIndex i, RestartDecision& d, TimePoint now);
  void consult_backoff(ChildIndex i, RestartDecision& d);
  void forgive_after_stable_run(ChildIndex i, TimePoint now);
  void carry_out(ChildIndex i, const RestartDecision& d, TimePoint now);
  void escalate(ChildIndex i, const RestartDecision& d, TimePoint now);
  void fail_start(ChildIndex i, TimePoint now);
  void restart_by_strategy(ChildIndex i, Duration delay, TimePoint now);
  void emit_decision(ChildIndex i, const std::shared_ptr<const RestartDecision>& d);

  // engine_scope.cpp
  std::uint32_t scope_begin(ChildIndex i) const;
  void begin_scope(ChildIndex trigger, Duration delay, TimePoint now);
  void pursue_scope(TimePoint now);
  void ask_to_stop(ChildIndex i, Asked asked, StopCause cause, TimePoint now);
  void abort_child(ChildIndex i, TimePoint now);
  void abandon(ChildIndex i);
  void give_up_on(ChildIndex i, TimePoint now);
  void cancel_restart(ChildIndex i, const std::string& cause);
  bool awaits_scope_restart(ChildIndex i) const;
  bool in_stopping_scope(ChildIndex i) const;

  // engine_closing.cpp
  void on(const input::Stop& in, TimePoint now);
  void on(const input::Abort& in, TimePoint now);
  void begin_closing(Closing plan, Duration total, TimePoint now);
  void pursue_closing(TimePoint now);
  void ask_next_in_order(TimePoint now);
  void become_straggler(ChildIndex i);
  void end_drain(TimePoint now);
  void abort_stragglers(TimePoint now);
  void abandon_stragglers(TimePoint now);
  void record_status(ChildIndex i, ChildShutdownOutcome outcome, TimePoint now);
  void record_late_end(ChildIndex i, TimePoint now);
  void exited_while_closing(ChildIndex i, Phase before, Asked asked, TimePoint now);
  void finish(TimePoint now);

  // engine_command.cpp
  void on(const input::StopOne& in, TimePoint now);
  void on(const input::RestartOne& in, TimePoint now);
  void on(const input::ResetOne& in, TimePoint now);
  void start_by_command(ChildIndex i, TimePoint now);

  std::uint32_t scope_slot() const { return static_cast<std::uint32_t>(children_.size()); }
  std::uint32_t closing_slot() const { return scope_slot() + 1; }

  SupervisorSpec spec_;
  EngineContext context_;
  RandomSource random_;
  std::vector<Child> children_;
  std::vector<ChildIndex> order_;                      ///< Start order: position -> child.
  std::vector<std::uint32_t> position_;                ///< child -> position.
  std::vector<std::vector<ChildIndex>> dependencies_;  ///< Empty where nobody has any.
  std::vector<std::vector<ChildIndex>> dependants_;
  DeadlineHeap deadlines_;
  RestartWindow window_;
  Mode mode_ = Mode::idle;
  TimePoint started_at_ = {};
  Cause cause_ = {};  ///< Of the supervisor's own events.
  Sequence sequence_;
  Scope scope_;
  Closing closing_;
  std::vector<Effect> out_;
  std::uint64_t touched_ = 0;
};

}  // namespace espalier::supervisor
