#pragma once

#include "espalier/supervisor/actor/child_factories.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/process/guardian.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace caf {
class actor_system;
}

namespace espalier::supervisor {

/// Who asked for a command and why; neither may be blank.
struct CommandMeta {
  std::string requested_by = {};
  std::string reason = {};
};

/// Why a tree is not up, or a command was refused.
struct Error {
  enum class Code : std::uint8_t {
    invalid_spec,   ///< Nothing was started.
    start_failed,   ///< A child did not start; what had been started was stopped again.
    stopped_early,  ///< A shutdown came while it was starting.
    blank_meta,
    timed_out,  ///< Not done within the deadline; it goes on.
  };
  Code code = Code::invalid_spec;
  std::string message = {};
};

struct SupervisorOptions {
  std::vector<std::shared_ptr<EventSink>> events = {};
  std::shared_ptr<OutputSink> output = {};  ///< Lines of process children; none: dropped.
  /// The actor system to live in; null: one of our own (policy `sharing`).
  caf::actor_system* system = nullptr;
  std::size_t worker_threads = 0;  ///< Of our own system; 0: one per core, at least 2.
  /// Make this process the reaper of its orphaned descendants and, at the end, look for and end
  /// them. For a program that is nothing but a supervisor.
  bool subreaper = false;
  /// Ends the process groups of children if this process is killed; null: nobody does.
  std::shared_ptr<Guardian> guardian = {};
  /// Soft limit of open files for processes that set none; absent: that of this process.
  std::optional<std::uint64_t> open_files = {};
  std::uint64_t seed = 0;  ///< Of the jitter; 0: from the system.
};

/// How a tree ended.
struct TreeResult {
  enum class Kind : std::uint8_t { stopped, failed, start_failed };
  Kind kind = Kind::stopped;
  std::string reason = {};
  ShutdownReport report = {};
};

/// A running tree. Copyable and cheap; all copies mean the same tree. Every member may be called
/// from any thread but a supervisor's. The tree is shut down when the last handle goes.
class SupervisorHandle {
 public:
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
  /// Blocks until the tree has ended, for whatever reason. The same result however often.
  [[nodiscard]] const TreeResult& join() const;
  /// As join, but at most this long; null: it still runs.
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
