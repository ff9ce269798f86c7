#pragma once

#include "espalier/supervisor/core/child_state.hpp"
#include "espalier/supervisor/core/command.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/testing/child_script.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::testing {

/// Something a tree did to a child, or a child did: "start /db", "stop /db", "abort /db",
/// "abandon /db", "exit /db: failed: boom (recoverable)".
struct Step {
  supervisor::Duration at = supervisor::Duration::zero();  ///< Since the tree was made.
  std::string text = {};
};

/// How a tree ended.
struct TreeEnd {
  enum class Kind : std::uint8_t { stopped, failed, start_failed };
  Kind kind = Kind::stopped;
  std::string reason = {};
  std::vector<supervisor::ChildShutdownStatus> children = {};
};

/// A tree whose supervisors are the real ones and whose children are scripted, in virtual time.
///
/// The problem: what a spec does when the database fails six times in a minute, at three in the
/// morning, cannot be tried out with real children. Here the engines that run in production decide
/// over children that do as they are told, and hours take milliseconds.
///
///     VirtualTree tree{spec};
///     tree.child("/db").ready_after(1s).fails_after(5s, "boom").only_times(2);
///     tree.advance(1min);
///     EXPECT_EQ(tree.state("/db")->phase, ChildPhase::running);
///
/// Same spec, scripts and seed: same history; for round times set `backoff.jitter` to none. Start
/// gates are always free. Factories, commands and probes of the spec are never run.
/// Throws std::invalid_argument for a spec whose dependencies are not in order, and
/// std::logic_error when the tree does not come to rest at one instant (a child that fails at
/// once, without back-off and limit). Thread rule: one thread.
class VirtualTree {
 public:
  explicit VirtualTree(supervisor::SupervisorSpec spec, std::uint64_t seed = 1);
  ~VirtualTree();
  VirtualTree(const VirtualTree&) = delete;
  VirtualTree& operator=(const VirtualTree&) = delete;

  /// The script of the child at that path, which need not exist yet. That of a pool holds for its
  /// instances without one. To change it altogether, assign a new ChildScript.
  ChildScript& child(const std::string& path);

  /// Lets time pass; the first call starts the tree.
  void advance(supervisor::Duration by);
  /// Ends the child's attempt at this instant. False: it is not alive, or a supervisor or pool.
  bool exit(const std::string& path, supervisor::ExitRecord exit);
  /// From this instant the child's attempt does nothing any more: it gives no sign of life, fails
  /// its health checks and does not hear a stop. False as above.
  bool hang(const std::string& path);
  /// Asks for a shutdown at this instant.
  void shutdown(const std::string& cause = "the test");
  /// Gives an operator's command at this instant; the ticket is for `reply`.
  std::uint64_t order(supervisor::Command command);
  /// Null: not answered yet.
  [[nodiscard]] const supervisor::CommandResult* reply(std::uint64_t ticket) const;

  /// Virtual time since the tree was made.
  [[nodiscard]] supervisor::Duration now() const;
  /// Absent: no such child now.
  [[nodiscard]] std::optional<supervisor::ChildView> state(const std::string& path) const;
  /// The last decision about a child as a sentence; empty: none yet.
  [[nodiscard]] std::string why(const std::string& path) const;
  [[nodiscard]] const std::vector<supervisor::Event>& events() const;
  [[nodiscard]] const std::vector<Step>& steps() const;
  /// Moves out the events since the last call, and forgets the steps, so that the longest run
  /// needs no memory for them.
  [[nodiscard]] std::vector<supervisor::Event> take_events();
  /// The steps without their times.
  [[nodiscard]] std::vector<std::string> history() const;
  /// Null: it has not ended.
  [[nodiscard]] const TreeEnd* end() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::testing
