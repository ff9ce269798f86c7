#pragma once

#include "espalier/metrics/internal/figures.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier::metrics::internal {

/// What had led to the start of an attempt.
enum class Decision : std::uint8_t { restart_now, restart_after, restart_queued, scope, command };
inline constexpr std::size_t decisions = 5;
/// What an operator, or a fuse, wants of a child.
enum class Operation : std::uint8_t { active, stopped, paused, quarantined, removed };
inline constexpr std::size_t operations = 5;
/// What became of the rule that an attempt begins only when the one before has ended.
enum class Fence : std::uint8_t { entered, released, abort_requested, already_pending, rejected };
inline constexpr std::size_t fences = 5;

[[nodiscard]] const char* to_string(Decision x);
[[nodiscard]] const char* to_string(Operation x);
[[nodiscard]] const char* to_string(Fence x);

/// What is counted of one child, or of some together. Histograms come with their first value.
struct ChildFigures {
  std::array<Count, decisions> restarts = {};
  Count meltdowns = {};
  std::array<Count, fences> fence = {};
  std::atomic<Histogram*> uptime = nullptr;
  std::atomic<Histogram*> health_latency = nullptr;
  std::array<std::atomic<Histogram*>, decisions> backoff = {};

  ChildFigures() = default;
  ~ChildFigures();
  ChildFigures(const ChildFigures&) = delete;
  ChildFigures& operator=(const ChildFigures&) = delete;
  void observe_uptime(double seconds);
  void observe_health_latency(double seconds);
  void observe_backoff(Decision decision, double seconds);
  void add(const ChildFigures& more);
};

/// What has to be known of a child until its next event.
struct ChildMemory {
  Operation operation = Operation::active;
  std::optional<Decision> decision = {};  ///< Of the start that is to come.
  bool fenced = false;                    ///< Its attempt is asked to end by a command.
  supervisor::TimePoint restart_answered = {};

  [[nodiscard]] bool is_needed() const {
    return operation != Operation::active || decision.has_value() || fenced;
  }
};

/// One child with series of its own, or what is left of its siblings.
struct ChildSlot {
  std::string path = {};  ///< Of its supervisor.
  std::string child = {};
  ChildFigures figures = {};
};

/// The figures of the children of a tree, by path.
///
/// The problem: every supervisor thread counts on its own, a restart takes microseconds, and a tree
/// may have a hundred thousand children that come and go. So children are spread over shards with a
/// lock each; one that is known costs a look-up and no memory; at most `max_children` have figures
/// of their own, and those that have none, or are forgotten, are counted with their supervisor's
/// others.
///
/// Thread rule: any thread. Readers of a slot need no lock; its numbers are of about one moment.
class ChildTable {
 public:
  explicit ChildTable(std::size_t max_children) : max_(max_children) {}

  /// Calls `use(ChildFigures&, ChildMemory&)` under the lock of the child's shard.
  template <class Use>
  void with(const std::string& path, Use use) {
    auto& shard = shard_of(path);
    const std::lock_guard lock{shard.mutex};
    if (auto* known = find_or_add(shard, path)) return use(known->slot->figures, known->memory);
    const auto found = shard.strangers.find(path);
    auto memory = found == shard.strangers.end() ? ChildMemory{} : found->second;
    {
      const std::lock_guard both{others_mutex_};
      use(others_of(path).figures, memory);
    }
    if (memory.is_needed()) {
      shard.strangers[path] = memory;
    } else if (found != shard.strangers.end()) {
      shard.strangers.erase(found);
    }
  }
  /// As `with`, where there is something to remember of the child; otherwise nothing happens.
  template <class Use>
  void with_remembered(const std::string& path, Use use) {
    auto& shard = shard_of(path);
    const std::lock_guard lock{shard.mutex};
    if (const auto found = shard.known.find(path); found != shard.known.end()) {
      return use(found->second.slot->figures, found->second.memory);
    }
    const auto found = shard.strangers.find(path);
    if (found == shard.strangers.end()) return;
    {
      const std::lock_guard both{others_mutex_};
      use(others_of(path).figures, found->second);
    }
    if (!found->second.is_needed()) shard.strangers.erase(found);
  }

  /// The child is gone, and all below it: what was counted goes to the others of its supervisor, at
  /// the next `view` or when many have gone.
  void forget(const std::string& path);
  /// All there are. As long as it lives none goes, and nothing that is counted moves.
  struct View {
    std::unique_lock<std::mutex> hold = {};
    std::vector<const ChildSlot*> slots = {};
  };
  [[nodiscard]] View view();
  /// Children with figures of their own.
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t shard_count = 32;
  static constexpr std::size_t forgotten_at_once = 256;
  struct Known {
    std::unique_ptr<ChildSlot> slot = {};
    ChildMemory memory = {};
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Known> known = {};
    std::unordered_map<std::string, ChildMemory> strangers = {};
  };

  [[nodiscard]] Shard& shard_of(const std::string& path);
  [[nodiscard]] Known* find_or_add(Shard& shard, const std::string& path);
  [[nodiscard]] ChildSlot& others_of(const std::string& path);
  void fold_forgotten();
  void fold(const std::string& path);
  void fold_below(const std::string& path);

  const std::size_t max_;
  std::atomic<std::size_t> size_ = 0;
  std::array<Shard, shard_count> shards_ = {};
  std::mutex others_mutex_;                                        ///< Taken last.
  std::map<std::string, std::unique_ptr<ChildSlot>> others_ = {};  ///< By the supervisor's path.
  std::set<std::string> supervisors_ = {};  ///< Paths that have had children; with the others.
  std::mutex forgotten_mutex_;
  std::vector<std::string> forgotten_ = {};
  std::mutex fold_mutex_;  ///< No fold while slots are read: nothing is counted twice. Taken first.
};

/// "/a/b/c" is "/a/b" and "c"; "/" is "/" and "".
[[nodiscard]] std::pair<std::string, std::string> split_path(const std::string& path);

}  // namespace espalier::metrics::internal
