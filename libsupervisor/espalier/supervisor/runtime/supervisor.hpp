#pragma once

#include "espalier/supervisor/core/backpressure_spec.hpp"
#include "espalier/supervisor/core/child_factories.hpp"
#include "espalier/supervisor/core/command.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/probe_sink.hpp"
#include "espalier/supervisor/core/run_summary.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/observe/journal_ring.hpp"
#include "espalier/supervisor/process/guardian.hpp"
#include "espalier/supervisor/runtime/event_subscription.hpp"
#include "espalier/supervisor/runtime/tree_result.hpp"
#include "espalier/supervisor/runtime/tree_state.hpp"
#include "espalier/supervisor/runtime/why.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace caf {
class actor_system;
}

namespace espalier::supervisor {

/// Who runs the actors of a system of our own.
enum class SchedulerPolicy {
  espalier,  ///< Ours: supervisors first, whatever children do; scheduler.hpp says what it
             ///< promises.
  sharing,   ///< CAF's, with one queue for all.
};

struct SupervisorOptions {
  std::vector<std::shared_ptr<EventSink>> events = {};
  std::shared_ptr<OutputSink> output = {};  ///< Lines of process children; none: dropped.
  std::shared_ptr<ProbeSink> probes = {};   ///< How long probes took; none: nobody is told.
  /// The actor system to live in; null: one of our own.
  caf::actor_system* system = nullptr;
  SchedulerPolicy scheduler = SchedulerPolicy::espalier;  ///< Of our own system.
  std::size_t worker_threads = 0;  ///< Of our own system; 0: one per core, at least 2.
  /// Make this process the reaper of its orphaned descendants and, at the end, look for and end
  /// them. For a program that is nothing but a supervisor.
  bool subreaper = false;
  /// Ends the process groups of children if this process is killed; null: nobody does.
  std::shared_ptr<Guardian> guardian = {};
  /// Soft limit of open files for processes that set none; absent: that of this process.
  std::optional<std::uint64_t> open_files = {};
  std::size_t journal_capacity = 4096;  ///< Events kept in memory, for `why` and later readers.
  BackpressureSpec backpressure = {};   ///< Of `subscribe_events`.
  std::uint64_t seed = 0;               ///< Of the jitter; 0: from the system.
  /// File that keeps children added at run time, see dynamic_registry.hpp; empty: the one of the
  /// spec's `dynamic`, if any. One file serves one tree at a time.
  std::string dynamic_registry = {};
};

/// A running tree. Copyable and cheap; all copies mean the same tree. Every member may be called
/// from any thread. The tree is shut down when the last handle goes.
///
/// Commands say who wants them and why (`meta`); both are kept in the event that tells of them.
/// What a command did is told once it is done: the child runs again, has stopped, is forgotten. A
/// deadline bounds the wait, not the command: past it the answer is Error::Code::timed_out, and it
/// goes on. Calls that wait refuse at once, with wrong_state, on a supervisor's own thread (in an
/// event sink, in an `Answer`), where they would wait for themselves.
class SupervisorHandle {
 public:
  using Answer = std::function<void(const CommandResult&)>;
  static constexpr Duration usual_deadline = std::chrono::seconds{10};

  CommandResult execute(Command command, Duration deadline = usual_deadline) const;
  /// Returns at once. `done` is called exactly once, also where the tree ends first (gone,
  /// shutting_down): on a supervisor's thread, or on this one where the command is refused at once.
  /// It must be quick and must not wait.
  void execute(Command command, Answer done) const;

  /// Adds a child and starts it: all of it or nothing.
  CommandResult add_child(const std::string& parent, ChildSpec spec, CommandMeta meta,
                          Duration deadline = usual_deadline) const;
  /// Adds an instance to a pool, which makes it from its template; CommandOutcome::path is its
  /// path.
  CommandResult add_instance(const std::string& pool, CommandMeta meta,
                             Duration deadline = usual_deadline) const;
  CommandResult remove_child(const std::string& path, CommandMeta meta,
                             Duration deadline = usual_deadline) const;
  CommandResult start_child(const std::string& path, CommandMeta meta,
                            Duration deadline = usual_deadline) const;
  CommandResult stop_child(const std::string& path, CommandMeta meta,
                           Duration deadline = usual_deadline) const;
  CommandResult restart_child(const std::string& path, CommandMeta meta,
                              Duration deadline = usual_deadline) const;
  CommandResult pause_child(const std::string& path, CommandMeta meta,
                            Duration deadline = usual_deadline) const;
  CommandResult resume_child(const std::string& path, CommandMeta meta,
                             Duration deadline = usual_deadline) const;
  CommandResult quarantine_child(const std::string& path, CommandMeta meta,
                                 Duration deadline = usual_deadline) const;
  /// Clears its counters and back-off.
  CommandResult reset_child(const std::string& path, CommandMeta meta,
                            Duration deadline = usual_deadline) const;
  CommandResult set_policy(const std::string& path, ChildPolicy policy, CommandMeta meta,
                           Duration deadline = usual_deadline) const;
  /// Lets the restarts of a held group go on.
  CommandResult reset_group(const std::string& supervisor, const std::string& group,
                            CommandMeta meta, Duration deadline = usual_deadline) const;
  CommandResult scale_pool(const std::string& path, std::uint32_t size, CommandMeta meta,
                           Duration deadline = usual_deadline) const;
  /// Changes the running tree to `spec`, touching only what differs; CommandOutcome::plan has one
  /// step a line. Nothing is changed where `spec` is not valid, nor in a dry run.
  CommandResult reload(SupervisorSpec spec, CommandMeta meta, bool dry_run = false,
                       Duration deadline = usual_deadline) const;

  /// What is true now, as last published: waits for no supervisor. Cost: what is asked for. After
  /// the end of the tree: its last state.
  [[nodiscard]] expected<TreeState, Error> current_state(const StateQuery& query = {}) const;
  /// Of the whole tree, in constant time.
  [[nodiscard]] PhaseCounts counts() const;
  [[nodiscard]] HealthReport health() const;
  /// The last decision about a node and the chain of causes that led to it, across the tree.
  [[nodiscard]] expected<Why, Error> why(const std::string& path) const;
  /// At most `capacity` events wait for the reader; what does not fit is counted and lost, and
  /// SupervisorOptions::backpressure says what happens before. `name`: what events call the reader.
  [[nodiscard]] EventSubscription subscribe_events(EventFilter filter = {},
                                                   std::size_t capacity = 1024,
                                                   std::string name = "subscription") const;
  /// Publishes an event about the tree as a whole, for those who serve it: a fault of what keeps
  /// its events or its audit, a slow reader. Not from within an event sink.
  void report(EventBody body) const;
  /// Kept events from `position` on, see JournalRing::read_from; SupervisorOptions says how many
  /// are kept.
  [[nodiscard]] EventPage kept_events(std::uint64_t position, std::size_t limit) const;
  /// Where in the kept events the next one will stand.
  [[nodiscard]] std::uint64_t kept_events_end() const;
  /// Calls `wake` after every event, once that is kept, for as long as the result lives: on a
  /// supervisor's thread; it must be quick and must not call the handle.
  [[nodiscard]] std::shared_ptr<void> on_event(std::function<void()> wake) const;
  /// What the run has come to so far; after the end, what it came to.
  [[nodiscard]] RunSummary summary() const;
  /// How long the root supervisor took to answer.
  [[nodiscard]] expected<Duration, Error> ping(Duration limit = usual_deadline) const;

  /// Blocks until the tree is up or the start has failed.
  [[nodiscard]] expected<void, Error> wait_started() const;
  /// Asks for the four-stage shutdown and returns at once. A second request joins the first;
  /// its limit may shorten the whole, never lengthen it.
  expected<void, Error> request_shutdown(const CommandMeta& meta,
                                         std::optional<Duration> limit = {}) const;
  /// request_shutdown and join.
  expected<TreeResult, Error> shutdown(const CommandMeta& meta) const;
  /// Ends everything now, without grace; returns at once.
  void abort() const;
  /// Blocks until the tree has ended, for whatever reason. The same result however often. Not for
  /// a supervisor's own thread, where it would wait for ever: it has no way to refuse.
  [[nodiscard]] const TreeResult& join() const;
  /// As join, but at most this long; null: it still runs. On a supervisor's own thread it only
  /// looks.
  [[nodiscard]] const TreeResult* join_for(Duration limit) const;
  [[nodiscard]] bool is_alive() const;

  class Impl;
  explicit SupervisorHandle(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

/// Brings trees up. Installs no signal handler, never exits the process, has no global state.
class Supervisor {
 public:
  /// Checks the spec and begins to start it; see SupervisorHandle::wait_started.
  [[nodiscard]] static expected<SupervisorHandle, Error> launch(SupervisorSpec spec,
                                                                const ChildFactories& factories,
                                                                SupervisorOptions options = {});
  /// launch and wait until it is up.
  [[nodiscard]] static expected<SupervisorHandle, Error> start(SupervisorSpec spec,
                                                               const ChildFactories& factories,
                                                               SupervisorOptions options = {});
};

}  // namespace espalier::supervisor
