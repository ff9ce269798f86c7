#pragma once

#include "espalier/ipc/core/target.hpp"
#include "espalier/ipc/wire/snapshot.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/runtime/tree_state.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

/// What a snapshot is made of. The references outlive the call.
struct SnapshotSource {
  const TargetInfo& target;
  const supervisor::TreeState& tree;
  const supervisor::HealthReport& health;
  Timestamp generated_at = {};
  /// Wall time less monotonic time. The same for a whole snapshot; the caller keeps it steady, or
  /// every node would seem to change with every tick of the clocks.
  std::chrono::nanoseconds wall_offset = std::chrono::nanoseconds::zero();
  DroppedInfo dropped = {};
  std::optional<ShutdownInfo> shutdown = {};
  /// Asked for every process that runs; empty: nobody wants to know.
  std::function<std::optional<ResourceInfo>(std::int64_t pid)> resources = {};
};

/// The JSON of a Snapshot, and where in it each node stands.
struct SnapshotText {
  struct Slice {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::string text = {};
  std::vector<Slice> nodes = {};
};

/// Appends to `out.text` what encode() of the same Snapshot would: straight from the tree, with
/// nothing copied on the way. Cost: one pass.
void append_snapshot(SnapshotText& out, const SnapshotSource& source);

/// Nodes by lifecycle, every word of it, and `total`.
[[nodiscard]] std::map<std::string, std::uint64_t> counts_of(const supervisor::PhaseCounts& counts);

/// Children that have been started and have not ended.
[[nodiscard]] std::uint64_t remaining_of(const supervisor::PhaseCounts& counts);

}  // namespace espalier::ipc
