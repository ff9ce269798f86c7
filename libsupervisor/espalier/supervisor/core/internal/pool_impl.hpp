#pragma once

#include "espalier/supervisor/core/backoff.hpp"
#include "espalier/supervisor/core/internal/pool_deadlines.hpp"
#include "espalier/supervisor/core/internal/pool_table.hpp"
#include "espalier/supervisor/core/pool_engine.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier::supervisor {

/// The state of one pool. The parts live in files of their own:
///   pool_engine.cpp    inputs in, effects out, deadlines, views
///   pool_attempt.cpp   one attempt: start, ready, signs of life, stop, abort
///   pool_probe.cpp     probes and what comes of them
///   pool_exit.cpp      an exit and what becomes of it
///   pool_rules.cpp     the rules of a restart
///   pool_command.cpp   orders about the pool
///   pool_instance.cpp  orders about one instance
///   pool_answer.cpp    who waits for what, and the answers
///   pool_closing.cpp   shutdown, giving up: both end the same way
///
///     idle ──start──▶ starting ──▶ serving ──┐
///                         │          │       ├──▶ closing ──▶ finished
///                         └──────────┴───────┘
class PoolEngine::Impl {
 public:
  Impl(const PoolSpec& spec, EngineContext context);

  std::vector<Effect> handle(const Input& what, TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  ChildView view(ChildIndex i, TimePoint now) const;
  std::vector<ChildIndex> take_changed();
  const PoolTable& table() const { return table_; }
  std::shared_ptr<const ChildSpec> child_spec() const { return spec_; }
  std::size_t pending_orders() const { return operations_.size(); }
  std::size_t pending_deadlines() const { return deadlines_.armed(); }
  std::uint64_t slots_touched() const { return touched_; }

 private:
  using Phase = ChildPhase;
  using Asked = PoolSlot::Asked;

  enum class Mode : std::uint8_t { idle, starting, serving, closing, finished };

  /// Where an order wants an instance.
  enum class Aim : std::uint8_t { up, gone, held };

  /// An accepted order that is not answered yet.
  struct Operation {
    std::uint64_t ticket = 0;
    std::shared_ptr<const Command> command = {};
    Aim aim = Aim::up;
    std::optional<ChildIndex> child = {};  ///< Of an order about one instance.
    std::uint64_t awaited = 0;
    std::uint64_t failed = 0;
    std::uint64_t superseded = 0;
    std::string first_failure = {};
    std::string text = {};  ///< The answer when all went well.
    bool joined = false;
  };
  using OperationId = std::uint64_t;

  struct Closing {
    enum class Step : std::uint8_t { draining, aborting };
    Step step = Step::draining;
    effect::Result result = effect::Result::stopped;
    StopCause stop_cause = StopCause::shutdown;
    ExitRecord exit = {};
    Cause cause = {};
    bool ends_tree = false;
    TimePoint drain_until = {};
    Duration abort_wait = {};
    TimePoint due = never;
    std::size_t awaited = 0;  ///< Live and no straggler.
    std::size_t straggling = 0;
    std::vector<ChildIndex> stragglers = {};
    std::vector<ChildShutdownStatus> statuses = {};
  };

  // pool_engine.cpp
  void on(const input::Start& in, TimePoint now);
  void on(const input::TimePassed& in, TimePoint now);
  void on_deadline(ChildIndex i, TimePoint now);
  void on_running_deadline(ChildIndex i, TimePoint now);
  void settle_initial(ChildIndex i, TimePoint now);
  std::uint64_t emit(Cause cause, EventBody body);
  std::uint64_t emit_child(ChildIndex i, EventBody body);
  std::uint64_t emit_child(ChildIndex i, Cause cause, EventBody body);
  std::uint64_t emit_at(effect::Emit what);
  PoolSlot& at(ChildIndex i);
  PoolDetails& details(ChildIndex i);
  void enter(ChildIndex i, Phase phase, TimePoint now);
  void touch(ChildIndex i);
  const ChildPolicy& policy() const { return spec_->policy; }
  std::string path_of(ChildIndex i) const;
  bool is_current(ChildIndex i, Generation generation);
  static bool is_live(Phase phase);
  static bool is_pending(Phase phase);

  // pool_attempt.cpp
  void on(const input::ChildRunning& in, TimePoint now);
  void on(const input::ChildReady& in, TimePoint now);
  void on(const input::ChildAlive& in, TimePoint now);
  void on(const input::ChildExtend& in, TimePoint now);
  void on(const input::ChildStatus& in, TimePoint now);
  void on(const input::Admitted& in, TimePoint now);
  ChildIndex create(TimePoint now);
  void proceed(ChildIndex i, TimePoint now);
  void pass_gates(ChildIndex i, TimePoint now);
  void start(ChildIndex i, TimePoint now);
  void become_ready(ChildIndex i, TimePoint now);
  void begin_clocks(ChildIndex i, TimePoint now);
  void end_admission(ChildIndex i);
  void cancel_restart(ChildIndex i, const std::string& cause, TimePoint now);
  void arm(ChildIndex i);
  void ask_to_stop(ChildIndex i, Asked asked, StopCause cause, TimePoint now);
  void force_end(ChildIndex i, ExitKind kind, const std::string& why, TimePoint now);
  void abort(ChildIndex i, TimePoint now);
  void abandon(ChildIndex i, TimePoint now);
  void forget(ChildIndex i, const std::string& by, TimePoint now);

  // pool_probe.cpp
  void on(const input::ProbeResult& in, TimePoint now);
  void run_probe(ChildIndex i, input::ProbePurpose purpose);
  void after_health_check(ChildIndex i, const input::ProbeResult& in, TimePoint now);
  void become_unhealthy(ChildIndex i, const std::string& probe, const std::string& message,
                        TimePoint now);
  void end_probes(ChildIndex i);

  // pool_exit.cpp
  void on(const input::ChildExited& in, TimePoint now);
  ExitRecord classify(ChildIndex i, const ExitRecord& reported) const;
  void after_exit(ChildIndex i, TimePoint now);
  void keep_from_orphan(ChildIndex i, const std::string& orphan, TimePoint now);
  void end_of_abandoned(ChildIndex i, TimePoint now);
  void give_up_on(ChildIndex i, TimePoint now);
  void judge(ChildIndex i, TimePoint now);
  void carry_out(ChildIndex i, const RestartDecision& d, TimePoint now);
  void escalate(ChildIndex i, const RestartDecision& d, TimePoint now);

  // pool_rules.cpp
  RestartDecision decide(ChildIndex i, TimePoint now);
  bool consult_instance_limit(ChildIndex i, RestartDecision& d, TimePoint now);
  bool consult_pool_limit(ChildIndex i, RestartDecision& d, TimePoint now);
  TimePoint consult_budget(ChildIndex i, RestartDecision& d, TimePoint now);
  void forgive_after_stable_run(ChildIndex i, TimePoint now);

  // pool_command.cpp
  void on(const input::Order& in, TimePoint now);
  void order_pool(const input::Order& in, TimePoint now);
  void scale(const input::Order& in, TimePoint now);
  void add(const input::Order& in, TimePoint now);
  void set_policy(const input::Order& in);
  void begin_new(OperationId operation, Cause cause, TimePoint now);

  // pool_instance.cpp
  void on(const input::ChildAsks& in, TimePoint now);
  void order_instance(const input::Order& in, ChildIndex i, TimePoint now);
  void remove(const input::Order& in, ChildIndex i, TimePoint now);
  void restart(const input::Order& in, ChildIndex i, TimePoint now);
  void quarantine(const input::Order& in, ChildIndex i, TimePoint now);
  void reset(const input::Order& in, ChildIndex i);
  void begin_removal(ChildIndex i, const std::string& by, TimePoint now);
  void begin_restart(ChildIndex i, TimePoint now);
  void clear_counters(ChildIndex i);

  // pool_answer.cpp
  OperationId accept(const input::Order& in, Aim aim, std::optional<ChildIndex> child,
                     std::string text);
  void wait_for(OperationId operation, ChildIndex i);
  void redirect(ChildIndex i, Aim aim);
  void reached(ChildIndex i, Aim aim);
  void missed(ChildIndex i, const std::string& why);
  template <class What>
  void end_waits(ChildIndex i, What what);
  void answer_if_through(OperationId operation);
  void answer_all_shutting_down();
  void done(const input::Order& in, std::optional<ChildIndex> i, std::string text, bool changed);
  void refuse(const input::Order& in, std::optional<ChildIndex> i, Error::Code code,
              std::string message);
  void would(const input::Order& in, std::optional<ChildIndex> i, std::string text);
  void send(std::uint64_t ticket, const Command& command, std::optional<ChildIndex> i,
            CommandResult result);
  CommandOutcome outcome(std::optional<ChildIndex> i, std::string text) const;

  // pool_closing.cpp
  void on(const input::Stop& in, TimePoint now);
  void on(const input::Abort& in, TimePoint now);
  void begin_closing(Closing plan, Duration total, TimePoint now);
  void close_one(ChildIndex i, TimePoint now);
  void pursue_closing(TimePoint now);
  void on_closing_deadline(TimePoint now);
  void become_straggler(ChildIndex i);
  void end_drain(TimePoint now);
  void abort_stragglers(TimePoint now);
  void hurry_stragglers(TimePoint now);
  void abandon_stragglers(TimePoint now);
  void record_status(ChildIndex i, ChildShutdownOutcome outcome, TimePoint now);
  void record_late_end(ChildIndex i, TimePoint now);
  void exited_while_closing(ChildIndex i, Phase before, Asked asked, TimePoint now);
  void finish(TimePoint now);

  PoolSpec pool_;  ///< Without its template.
  std::shared_ptr<const ChildSpec> spec_;
  EngineContext context_;
  RandomSource random_;
  PoolTable table_;
  PoolDeadlines deadlines_;
  RestartWindow window_;
  Mode mode_ = Mode::idle;
  TimePoint started_at_ = {};
  Cause cause_ = {};  ///< Of the pool's own events.
  std::size_t initial_pending_ = 0;
  Closing closing_;
  std::map<OperationId, Operation> operations_;
  std::unordered_multimap<ChildIndex, OperationId> waiting_;
  OperationId last_operation_ = 0;
  std::uint64_t last_probe_ = 0;
  std::uint64_t last_admission_ = 0;
  std::vector<ChildIndex> changed_;
  std::vector<Effect> out_;
  std::uint64_t touched_ = 0;
};

}  // namespace espalier::supervisor
