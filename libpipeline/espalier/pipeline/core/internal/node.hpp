#pragma once

#include "espalier/pipeline/core/counts.hpp"
#include "espalier/pipeline/core/internal/adaptive_limit.hpp"
#include "espalier/pipeline/core/internal/circuit_breaker.hpp"
#include "espalier/pipeline/core/internal/gather.hpp"
#include "espalier/pipeline/core/internal/item_queue.hpp"
#include "espalier/pipeline/core/internal/key_gate.hpp"
#include "espalier/pipeline/core/internal/rate_limiter.hpp"
#include "espalier/pipeline/core/internal/resequencer.hpp"
#include "espalier/pipeline/core/internal/ring.hpp"
#include "espalier/pipeline/core/plan.hpp"

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// One stage at run time: where its items are, who works, what its limits are. An item at a stage
/// is in exactly one of these places, and counts against its capacity in each:
///
///   held (for order) ─▶ gate (for its key) ─▶ queue or gather ─▶ in work ─▶ waiting for a retry
///                                                 ▲                              │
///                                                 └──────────────────────────────┘
struct Node {
  /// One that may be next, and how many items one item may become there (twice on two ports).
  struct Target {
    NodeId node = output_node;
    std::size_t weight = 1;
  };
  struct Worker {
    std::uint64_t work = 0;  ///< Zero: idle.
    TimePoint since = {};
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;
    Duration service_time = {};
  };
  /// Parts of an expansion that found no room where they go.
  struct Spilled {
    NodeId to = output_node;
    Item item = {};
  };

  Node(const NodePlan& what, NodeId number, ChunkPool& pool);

  [[nodiscard]] bool gathers() const { return gather.has_value(); }
  [[nodiscard]] std::size_t queued() const {
    return queue.size() + (gather ? gather->size() + again_items : 0) + held_for_order();
  }
  /// Held back by an item that has not come.
  [[nodiscard]] std::size_t held_for_order() const {
    return (sequence ? sequence->size() : 0) + (gate ? gate->size() : 0);
  }
  [[nodiscard]] std::size_t occupancy() const { return queued() + in_work + retrying; }
  [[nodiscard]] std::size_t room() const {
    const auto taken = occupancy() + reserved;
    return taken < capacity ? capacity - taken : 0;
  }
  /// An ordered stage that holds items and has no other: the one that must come first.
  [[nodiscard]] std::optional<ItemSeq> waits_for() const {
    const auto stuck = sequence && sequence->size() > 0 && sequence->size() == occupancy();
    return stuck ? std::optional(sequence->next()) : std::nullopt;
  }
  /// So many may come together: one item becomes as many.
  void make_room_for(std::size_t together);
  /// Adds what has passed since the last call to the times. Before each change.
  void pass_time(TimePoint now);
  /// Precondition: busy < workers.
  [[nodiscard]] std::uint32_t hire(std::uint64_t work, TimePoint now);
  void release(std::uint32_t worker);
  void set_workers(std::uint32_t count);
  /// What an item takes, from what a batch took.
  void learn(Duration took, std::size_t items);
  /// Zero: not known yet.
  [[nodiscard]] Duration item_time() const {
    return Duration(static_cast<Duration::rep>(std::ceil(ns_per_item)));
  }
  [[nodiscard]] bool is_quick(Duration longest) const {
    return ns_per_item > 0 && item_time() <= longest;
  }
  /// Most items of a work, whatever they take.
  [[nodiscard]] std::size_t batch_limit() const;
  /// Items a worker should take at once: about 50 us of work.
  [[nodiscard]] std::size_t batch_target(std::size_t waiting) const;
  /// So many a worker may take when they are together already.
  [[nodiscard]] std::size_t most_at_once() const;
  void reset_stats(TimePoint now);

  const NodePlan* plan;
  NodeId id;
  bool single;  ///< Items are claimed one by one.
  std::size_t capacity;
  std::uint32_t workers;
  std::vector<Target> targets = {};
  std::vector<NodeId> ordered_behind = {};            ///< Ordered stages items here may pass yet.
  std::vector<std::vector<NodeId>> left_behind = {};  ///< By port: those they will not any more.
  std::vector<NodeId> upstream = {};                  ///< Nodes from which items may come here.
  std::vector<NodeId> overfills = {};  ///< By key before an order: see Flow::Impl::room_of.

  ItemQueue queue;
  std::optional<Resequencer> sequence = {};  ///< Order::input.
  std::optional<KeyGate> gate = {};          ///< Order::by_key.
  std::optional<Gather> gather = {};         ///< Instead of the queue, at batch and window nodes.
  Ring<ChunkPtr> again = {};  ///< Batches that failed and are tried again as they were.
  std::size_t again_items = 0;
  Ring<Spilled> spill = {};
  Ring<std::pair<TimePoint, std::uint64_t>> attempts = {};  ///< Deadlines of works, as begun.
  std::size_t together = 1;                                 ///< So many come at once, or none.
  std::size_t reserved = 0;                                 ///< Places promised to work before it.
  std::size_t in_work = 0;
  std::size_t retrying = 0;

  RateLimiter* rate = nullptr;
  std::optional<CircuitBreaker> breaker = {};
  bool refusing = false;  ///< What waits is being ended, since the breaker is open.
  std::optional<AdaptiveLimit> adaptive = {};

  std::vector<Worker> crew = {};
  std::vector<std::uint32_t> idle = {};
  std::uint32_t busy = 0;
  TimePoint progress = {};  ///< Of the last finish, or when the first of those at work began.
  double ns_per_item = 0;   ///< Zero: not known yet.
  TimePoint adapt_at = TimePoint::max();
  std::uint64_t adapt_attempts = 0;  ///< Those counted in the last adaptive step.
  Duration adapt_service = {};
  bool blocked = false;       ///< Could be claimed from, but there is no room behind it.
  TimePoint counted_to = {};  ///< Times are added up to here.
  StageStats stats = {};      ///< The sums; the rest is filled in for a snapshot.
};

}  // namespace espalier::pipeline
