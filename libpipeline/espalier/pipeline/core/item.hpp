#pragma once

#include "espalier/pipeline/core/value.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline {

using supervisor::Duration;
using supervisor::TimePoint;

/// The place of an item in the order of feeding, from 0, per run of a pipeline.
using ItemSeq = std::uint64_t;
/// The place of a stage in its Plan.
using NodeId = std::uint16_t;
/// Where items leave the pipeline with a value.
inline constexpr NodeId output_node = std::numeric_limits<NodeId>::max();

inline constexpr std::int32_t default_priority = 100;

/// Why an item has no value.
struct Failure {
  enum class Kind : std::uint8_t {
    thrown,        ///< The task threw, or returned an error.
    timed_out,     ///< An attempt, or the item as a whole, took too long.
    circuit_open,  ///< The stage's circuit breaker refused it.
    refused,       ///< The value cannot be what the stage takes.
    cancelled,     ///< `cancel`, `abort`, or dropped by an overflow policy; `message` says which.
  };
  Kind kind = Kind::thrown;
  std::string message = {};
  std::string type = {};  ///< Of the exception, as in the source: "std::out_of_range".
  std::string stage = {};
  std::string task = {};
  std::uint32_t attempts = 0;     ///< Made at that stage, this one included.
  std::exception_ptr error = {};  ///< The original object; null when nothing was thrown.
  Duration retry_after = {};      ///< With Verdict::again.
  Value input = {};               ///< What the stage was given, if it can still be had.
};

/// How an item ended. Every item that was accepted ends exactly once.
enum class Outcome : std::uint8_t { succeeded, failed, skipped, cancelled };

/// What only some items have. Shared by all that came of one fed item (flat_map, broadcast).
/// `id` and `metadata` do not change after feeding; the rest belongs to the Flow.
struct ItemInfo {
  std::string id = {};  ///< Empty: the sequence number in decimal.
  std::vector<std::pair<std::string, std::string>> metadata = {};

  /// Parts of this item that have not ended yet.
  std::uint32_t open_parts = 1;
  std::uint32_t next_part = 1;  ///< The `part` of the next one that comes of it.
  /// The worst end of a part so far: failed > cancelled > succeeded > skipped.
  Outcome worst = Outcome::skipped;
  /// Why that part failed or was cancelled, without what it was given; kept only with
  /// Flow::tell_ends.
  std::shared_ptr<const Failure> why = {};
  /// A combined item (batch, window): those it was made of, which end as it ends.
  struct Member {
    ItemSeq seq = 0;
    std::shared_ptr<ItemInfo> info = {};
  };
  std::vector<Member> members = {};
};

/// What a kernel says of an item it has run.
enum class Verdict : std::uint8_t {
  pass,    ///< Goes on through `port`.
  skip,    ///< Ends here, without a value and without an error (filter, sink).
  fail,    ///< `failure` says why; the stage's retry policy decides what comes next.
  again,   ///< Wants to be run again at `failure->retry_after` from now, whatever the policy.
  expand,  ///< `value` is a std::vector<Value>: each goes on through `port` as an item of its own;
           ///< an empty one ends the item as skipped.
  spread,  ///< `value` is a std::vector<Value>, one for each port of the node (broadcast).
  absorbed,  ///< Became part of the first item of its batch.
};

/// One item on its way. Moved, never copied.
struct Item {
  Value value = {};
  ItemSeq seq = 0;
  std::shared_ptr<ItemInfo> info = {};       ///< Null for most.
  std::unique_ptr<Failure> failure = {};     ///< Of the last attempt.
  std::int32_t priority = default_priority;  ///< Lower goes first.
  std::uint32_t part = 0;                    ///< Among the parts of one fed item.
  std::uint16_t attempt = 0;                 ///< Finished attempts at the present stage.
  std::uint16_t task = 0;                    ///< The task of the stage to go on with (per_task).
  std::uint16_t port = 0;
  Verdict verdict = Verdict::pass;
  bool passed_through = false;  ///< `skip_if` let it through untouched.
};

/// A run of items of the same priority at the same place. Batches of items move, never single
/// ones; see docs/pipeline.md.
struct Chunk {
  std::vector<Item> items = {};
  TimePoint entered = {};  ///< When it came to the present queue.
};
using ChunkPtr = std::unique_ptr<Chunk>;

/// Most items in a chunk.
inline constexpr std::size_t chunk_limit = 256;

}  // namespace espalier::pipeline
