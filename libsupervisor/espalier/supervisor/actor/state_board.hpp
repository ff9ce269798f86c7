#pragma once

#include "espalier/supervisor/core/child_state.hpp"
#include "espalier/supervisor/core/engine_io.hpp"
#include "espalier/supervisor/core/phase_counts.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace espalier::supervisor {

/// Sums over all boards of one tree, so that a count costs the same however large the tree is.
/// Thread rule: every member may be called from any thread.
class TreeTotals {
 public:
  void add(ChildPhase phase, bool unready);
  void remove(ChildPhase phase, bool unready);
  [[nodiscard]] PhaseCounts counts() const;
  /// When the tree last changed between ready and not; absent: it never was unready.
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> readiness_changed() const;

 private:
  std::array<std::atomic<std::uint64_t>, PhaseCounts::phases> by_phase_ = {};
  std::atomic<std::uint64_t> unready_ = 0;
  std::atomic<std::int64_t> changed_ = 0;  // Microseconds since 1970.
};

/// What a supervisor shows of itself.
struct SupervisorInfo {
  ChildKind kind = ChildKind::supervisor;
  Strategy strategy = Strategy::one_for_one;
  std::string config_version = {};
};

/// One child as it was when its supervisor last worked.
struct BoardRow {
  std::string name = {};
  std::shared_ptr<const ChildSpec> spec = {};
  ChildView view = {};
};

/// What one supervisor lets others see of its children. It writes after each input and never waits
/// for long: readers copy a page of rows at a time.
///
/// Thread rule: `create`, `update`, `tell` and `retire` are for the supervisor, with `name` and
/// `phase`; the rest may be called from any thread. Cost: some 250 bytes a child; constant time for
/// an update.
class StateBoard {
 public:
  StateBoard(SupervisorInfo info, std::shared_ptr<TreeTotals> totals);
  ~StateBoard();  ///< Leaves.
  StateBoard(const StateBoard&) = delete;
  StateBoard& operator=(const StateBoard&) = delete;

  /// The slot belongs to a new child from now on.
  void create(ChildIndex child, std::string name);
  struct Change {
    ChildIndex child = 0;
    std::shared_ptr<const ChildSpec> spec = {};
    ChildView view = {};
  };
  /// Of created slots. A child whose phase is `removed` is no longer shown; its name stays.
  void update(std::vector<Change> changes);
  void tell(SupervisorInfo info);
  /// Its supervisor has ended: what still seemed to live is shown as stopped.
  void retire();
  /// It is no part of the tree any more: takes its children off the totals.
  void leave();
  [[nodiscard]] const std::string& name(ChildIndex child) const { return rows_[child].name; }
  [[nodiscard]] ChildPhase phase(ChildIndex child) const { return rows_[child].view.phase; }
  [[nodiscard]] std::size_t slots() const { return rows_.size(); }

  [[nodiscard]] SupervisorInfo info() const;
  [[nodiscard]] PhaseCounts counts() const;
  [[nodiscard]] std::optional<BoardRow> find(std::string_view name) const;
  /// At most `limit` rows from slot `from` on; sets `from` to where to go on. False: no more.
  bool page(std::size_t& from, std::size_t limit, std::vector<BoardRow>& into) const;

  /// True where a child should be ready and is not.
  [[nodiscard]] static bool is_unready(const BoardRow& row);

 private:
  struct NameHash {
    using is_transparent = void;
    const StateBoard* board = nullptr;
    std::size_t operator()(ChildIndex child) const noexcept;
    std::size_t operator()(std::string_view name) const noexcept;
  };
  struct NameEqual {
    using is_transparent = void;
    const StateBoard* board = nullptr;
    bool operator()(ChildIndex a, ChildIndex b) const { return a == b; }
    bool operator()(std::string_view a, ChildIndex b) const;
    bool operator()(ChildIndex a, std::string_view b) const { return (*this)(b, a); }
  };

  void count(const BoardRow& row, bool present);
  void apply(Change& change);

  mutable std::mutex mutex_;
  SupervisorInfo info_;
  std::shared_ptr<TreeTotals> totals_;
  std::deque<BoardRow> rows_;  // By ChildIndex; grows without moving.
  std::unordered_set<ChildIndex, NameHash, NameEqual> shown_;
  PhaseCounts counts_;
};

}  // namespace espalier::supervisor
