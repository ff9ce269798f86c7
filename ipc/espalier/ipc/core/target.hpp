#pragma once

#include "espalier/ipc/wire/error.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/pipeline/supervised/pipeline_board.hpp"
#include "espalier/supervisor/core/command.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/run_summary.hpp"
#include "espalier/supervisor/observe/journal_ring.hpp"
#include "espalier/supervisor/runtime/tree_result.hpp"
#include "espalier/supervisor/runtime/tree_state.hpp"
#include "espalier/supervisor/runtime/why.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace espalier::ipc {

struct TargetInfo {
  std::string target_id = {};
  std::string display_name = {};
  std::int64_t pid = 0;
  std::string version = {};
  Timestamp started_at = {};
  std::uint64_t epoch = 0;
};

/// A line of output as it is kept. `position` counts all lines that ever came.
struct KeptLine {
  std::uint64_t position = 0;
  LogLine line = {};
};
struct LinePage {
  std::vector<KeptLine> lines = {};
  std::uint64_t next = 0;
  std::uint64_t lost = 0;
};

/// The tree as a service sees it. The real one is server/supervisor_target.hpp; tests script one.
/// Called on the service's thread only; no member may block.
class Target {
 public:
  using Answer = std::function<void(const supervisor::CommandResult&)>;
  virtual ~Target() = default;

  [[nodiscard]] virtual TargetInfo info() = 0;
  [[nodiscard]] virtual expected<supervisor::TreeState, supervisor::Error> state(
      const supervisor::StateQuery& query) = 0;
  [[nodiscard]] virtual std::uint64_t generation() = 0;  ///< Sequence of the last event.
  [[nodiscard]] virtual supervisor::HealthReport health() = 0;
  [[nodiscard]] virtual supervisor::RunSummary summary() = 0;
  [[nodiscard]] virtual expected<supervisor::Why, supervisor::Error> why(
      const std::string& path) = 0;
  [[nodiscard]] virtual supervisor::EventPage events(std::uint64_t position, std::size_t limit) = 0;
  [[nodiscard]] virtual std::uint64_t events_end() = 0;
  [[nodiscard]] virtual LinePage lines(std::uint64_t position, std::size_t limit) = 0;
  [[nodiscard]] virtual std::uint64_t lines_end() = 0;
  /// Those that run now, by path.
  [[nodiscard]] virtual std::vector<pipeline::PipelineRow> pipelines() { return {}; }
  [[nodiscard]] virtual std::optional<ResourceInfo> resources(std::int64_t pid) = 0;

  /// Turns the text of a child (JSON, the fields of a tree file) into a spec. The error has the
  /// place of the fault in it.
  [[nodiscard]] virtual expected<supervisor::ChildSpec, WireError> read_child(
      const std::string& parent, const std::string& text) = 0;
  /// The same of a tree file; empty: of the file the target was started with.
  [[nodiscard]] virtual expected<supervisor::SupervisorSpec, WireError> read_tree(
      const std::string& text) = 0;
  /// Returns at once. `done` is called exactly once, on any thread, maybe before this returns.
  virtual void execute(supervisor::Command command, Answer done) = 0;

  /// Publishes an event about the target itself.
  virtual void report(supervisor::EventBody) {}

  /// Whether the service wants to be woken for new events, for new lines. Off, they cost nothing.
  virtual void watch(bool events, bool lines) = 0;
};

}  // namespace espalier::ipc
