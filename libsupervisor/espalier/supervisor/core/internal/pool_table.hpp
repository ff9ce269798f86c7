#pragma once

#include "espalier/supervisor/core/child_state.hpp"
#include "espalier/supervisor/core/engine_io.hpp"
#include "espalier/supervisor/core/restart_window.hpp"
#include "espalier/supervisor/core/token_bucket.hpp"

#include <charconv>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier::supervisor {

inline constexpr TimePoint never = TimePoint::max();
inline constexpr ChildIndex no_slot = std::numeric_limits<ChildIndex>::max();

/// What most instances never need: allocated with their first exit, pid, status or probe.
struct PoolDetails {
  RestartWindow window = {};
  std::optional<TokenBucket> bucket = {};
  Duration last_delay = {};
  std::shared_ptr<const ExitRecord> last_exit = {};
  std::shared_ptr<const RestartDecision> last_decision = {};
  Cause decision_cause = {};
  std::shared_ptr<const std::string> status = {};
  std::optional<std::int64_t> pid = {};
  std::string tripped = {};  ///< What the timer says that forced the end.
  std::string remover = {};  ///< Who had it removed.
  std::vector<ChildShutdownStatus> subtree = {};
  TimePoint alive_until = never;
  TimePoint probe_at = never;
  std::uint64_t probe = 0;  ///< Number of the one under way.
  std::uint32_t probe_failures = 0;
  std::uint64_t admission = 0;  ///< Number of the request that was made or granted.
};

/// One instance, small: there may be a million.
struct PoolSlot {
  /// Who asked it to stop; decides what its exit means.
  enum class Asked : std::uint8_t { nobody, command, timeout, closing };

  std::uint64_t number = 0;
  Generation generation = 0;
  Cause cause = {};
  TimePoint since = {};  ///< When the phase began.
  TimePoint ready_at = {};
  TimePoint asked_at = {};
  TimePoint until = never;  ///< Of the phase: start, run, stop and abort time, restart.
  std::unique_ptr<PoolDetails> more = {};
  ChildIndex older = no_slot;  ///< Free slots use it for the next free one.
  ChildIndex newer = no_slot;
  std::uint32_t attempt = 0;
  std::uint32_t in_a_row = 0;
  std::uint32_t restarts_total = 0;
  ChildPhase phase = ChildPhase::removed;
  Intent intent = Intent::run;
  Asked asked = Asked::nobody;
  std::optional<ExitKind> forced = {};  ///< What a tripped timer makes of the coming exit.
  bool member : 1 = false;              ///< Counts; not on its way out.
  bool changed : 1 = false;
  bool was_ready : 1 = false;  ///< In this attempt.
  bool restart_wanted : 1 = false;
  bool counted_restart : 1 = false;  ///< The attempt under way is an automatic restart.
  bool initial : 1 = false;          ///< The start of the pool waits for it.
  bool trial : 1 = false;            ///< Forgotten if its first start fails.
  bool straggler : 1 = false;
  bool reported : 1 = false;  ///< Its shutdown status is recorded.
};

/// Slots, names and the order of age; each operation costs the same however many there are.
class PoolTable {
 public:
  /// A new instance, in the slot that was freed last, or in a new one.
  ChildIndex create() {
    auto i = free_;
    if (i == no_slot) {
      i = static_cast<ChildIndex>(slots_.size());
      slots_.emplace_back();
    } else {
      free_ = slots_[i].older;
    }
    auto& slot = slots_[i];
    const bool changed = slot.changed;
    const auto generation = next_owner_after(slot.generation);
    slot = PoolSlot{};
    slot.changed = changed;
    slot.generation = generation;
    slot.number = ++last_number_;
    slot.phase = ChildPhase::idle;
    slot.member = true;
    slot.older = newest_;
    if (newest_ != no_slot) slots_[newest_].newer = i;
    newest_ = i;
    ++members_;
    by_number_.emplace(slot.number, i);
    return i;
  }

  /// It counts no longer, but is still there.
  void retire(ChildIndex i) {
    auto& slot = slots_[i];
    if (!slot.member) return;
    slot.member = false;
    if (slot.older != no_slot) slots_[slot.older].newer = slot.newer;
    (slot.newer != no_slot ? slots_[slot.newer].older : newest_) = slot.older;
    slot.older = slot.newer = no_slot;
    --members_;
  }

  /// It is forgotten; name and number stay readable until the slot is used again.
  void release(ChildIndex i) {
    retire(i);
    auto& slot = slots_[i];
    by_number_.erase(slot.number);
    slot.phase = ChildPhase::removed;
    slot.more.reset();
    slot.older = free_;
    free_ = i;
  }

  [[nodiscard]] std::optional<ChildIndex> find(const std::string& name) const {
    std::uint64_t number = 0;
    const auto* end = name.data() + name.size();
    if (std::from_chars(name.data(), end, number).ptr != end || std::to_string(number) != name) {
      return std::nullopt;
    }
    const auto found = by_number_.find(number);
    if (found == by_number_.end()) return std::nullopt;
    return found->second;
  }

  PoolSlot& operator[](ChildIndex i) { return slots_[i]; }
  const PoolSlot& operator[](ChildIndex i) const { return slots_[i]; }
  [[nodiscard]] ChildIndex size() const { return static_cast<ChildIndex>(slots_.size()); }
  [[nodiscard]] std::size_t members() const { return members_; }
  [[nodiscard]] ChildIndex newest() const { return newest_; }
  [[nodiscard]] std::uint64_t last_number() const { return last_number_; }

 private:
  std::deque<PoolSlot> slots_;  ///< Grows without copying.
  std::unordered_map<std::uint64_t, ChildIndex> by_number_;
  ChildIndex free_ = no_slot;
  ChildIndex newest_ = no_slot;
  std::size_t members_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace espalier::supervisor
