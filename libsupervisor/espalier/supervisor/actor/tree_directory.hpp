#pragma once

#include "espalier/supervisor/actor/child_protocol.hpp"
#include "espalier/supervisor/actor/command_desk.hpp"
#include "espalier/supervisor/actor/state_board.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor {

/// A supervisor as others find it: the way in, who waits for its answers, what it shows. One that
/// has ended stays until another takes its path or its parent forgets it, so that its last state
/// can be seen.
struct SupervisorEntry {
  std::shared_ptr<ReportLine> line = {};
  std::shared_ptr<CommandDesk> desk = {};
  std::shared_ptr<StateBoard> board = {};
  bool ended = false;
};

/// The supervisors of one tree by path.
///
/// Thread rule: every member may be called from any thread.
class TreeDirectory {
 public:
  /// Takes the place of an entry of the same path.
  void enter(const std::string& path, SupervisorEntry entry);
  /// The supervisor that owns `board` has ended; nothing happens if another has its place.
  void end(const std::string& path, const StateBoard* board);
  /// The supervisor at `path` was removed, with all below it.
  void forget(const std::string& path);

  [[nodiscard]] std::optional<SupervisorEntry> find(const std::string& path) const;

  /// The supervisor of a node: the nearest one above `path`, and what is left of the path below it.
  struct Place {
    SupervisorEntry supervisor = {};
    std::string path = {};  ///< Of the supervisor.
    std::string rest = {};  ///< "w1", or "w1/x" where w1 is no supervisor or has never run.
  };
  [[nodiscard]] std::optional<Place> above(const std::string& path) const;

  /// The supervisors at and below `path`.
  [[nodiscard]] std::vector<std::pair<std::string, SupervisorEntry>> below(
      const std::string& path) const;

  [[nodiscard]] const std::shared_ptr<TreeTotals>& totals() const { return totals_; }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, SupervisorEntry> entries_;
  std::shared_ptr<TreeTotals> totals_ = std::make_shared<TreeTotals>();
};

/// True for `path` itself and what is below it.
[[nodiscard]] bool is_at_or_below(const std::string& path, const std::string& top);

}  // namespace espalier::supervisor
