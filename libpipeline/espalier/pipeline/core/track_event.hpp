#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace espalier::pipeline {

/// Where an item is, as a word for users.
enum class Status : std::uint8_t {
  queued,
  in_progress,
  completed,  ///< At a stage, or (with node == output_node) at the end of the pipeline.
  failed,
  retrying,
  skipped,
  cancelled,
};

/// Something that happened to a run of items with neighbouring sequence numbers. Emitted only while
/// somebody watches.
struct TrackEvent {
  enum class Kind : std::uint8_t { status, task };
  Kind kind = Kind::status;
  Status status = Status::queued;
  std::uint8_t moment = 0;  ///< A TaskMoment, for Kind::task.
  NodeId node = 0;
  std::uint16_t task = 0;
  /// From 1, zero where there is none. With retrying: the one that comes next; with failed: those
  /// that were made.
  std::uint16_t attempt = 0;
  std::uint32_t worker = 0;  ///< Of the stage, from 0; no_worker where there is none.
  std::uint32_t count = 1;   ///< seq, seq + 1, ... ; 1 when `info` or `failure` is set.
  ItemSeq seq = 0;
  TimePoint at = {};
  Duration took = {};  ///< Of a task that is over; of a stage that is completed.
  std::shared_ptr<const ItemInfo> info = {};
  /// Text and type of the error, with Status::failed and retrying, and TaskMoment retry and fail.
  std::shared_ptr<const std::pair<std::string, std::string>> error = {};

  static constexpr std::uint32_t no_worker = 0xffffffff;
};

}  // namespace espalier::pipeline
