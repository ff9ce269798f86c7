#pragma once

#include "espalier/pipeline/track/status_tracker.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::pipeline {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Runs nothing; has names.
class NamedKernel final : public Kernel {
 public:
  explicit NamedKernel(std::vector<std::string> tasks) : tasks_(std::move(tasks)) {}
  bool run(std::span<Item> /*items*/, RunContext& /*context*/) override { return true; }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  std::vector<std::string> tasks_;
};

inline NodePlan stage(const std::string& name, std::vector<std::string> tasks, NodeId next) {
  NodePlan node;
  node.name = name;
  node.kernel = std::make_shared<NamedKernel>(std::move(tasks));
  node.next = {next};
  return node;
}

/// fetch (get, check) -> parse (read)
inline Plan two_stages() {
  Plan plan;
  plan.nodes.push_back(stage("fetch", {"get", "check"}, 1));
  plan.nodes.push_back(stage("parse", {"read"}, output_node));
  return plan;
}

inline TimePoint at(Duration since_start) {
  return TimePoint{} + since_start;
}

/// What the engine emits, without the engine.
inline TrackEvent status(Status status, NodeId node, ItemSeq seq, std::uint32_t count = 1) {
  TrackEvent event;
  event.status = status;
  event.node = node;
  event.seq = seq;
  event.count = count;
  event.worker = TrackEvent::no_worker;
  return event;
}

inline TrackEvent by(std::uint32_t worker, TrackEvent event) {
  event.worker = worker;
  return event;
}

inline TrackEvent when(Duration since_start, TrackEvent event) {
  event.at = at(since_start);
  return event;
}

inline TrackEvent with_error(const std::string& text, const std::string& type,
                             std::uint16_t attempt, TrackEvent event) {
  event.error = std::make_shared<const std::pair<std::string, std::string>>(text, type);
  event.attempt = attempt;
  return event;
}

inline TrackEvent of_item(const std::string& id, TrackEvent event, Metadata metadata = {}) {
  auto info = std::make_shared<ItemInfo>();
  info->id = id;
  info->metadata = std::move(metadata);
  event.info = std::move(info);
  return event;
}

inline TrackEvent task(TaskMoment moment, NodeId node, std::uint16_t task, ItemSeq seq,
                       std::uint16_t attempt = 1) {
  TrackEvent event;
  event.kind = TrackEvent::Kind::task;
  event.moment = static_cast<std::uint8_t>(moment);
  event.node = node;
  event.task = task;
  event.seq = seq;
  event.attempt = attempt;
  event.worker = 0;
  return event;
}

/// An item's way through both stages.
inline std::vector<TrackEvent> whole_way(ItemSeq seq, std::uint32_t count = 1) {
  return {status(Status::queued, 0, seq, count),
          by(0, status(Status::in_progress, 0, seq, count)),
          by(0, status(Status::completed, 0, seq, count)),
          status(Status::queued, 1, seq, count),
          by(1, status(Status::in_progress, 1, seq, count)),
          by(1, status(Status::completed, 1, seq, count)),
          status(Status::completed, output_node, seq, count)};
}

/// "queued@fetch in_progress@fetch-W0 ..."
inline std::string story(const std::vector<StatusEvent>& events) {
  std::string out;
  for (const StatusEvent& event : events) {
    if (!out.empty()) out += ' ';
    out += std::string(to_string(event.status)) + '@';
    out += event.worker.empty() ? event.stage : event.worker;
  }
  return out;
}

inline std::string ids(const std::vector<StatusEvent>& events) {
  std::string out;
  for (const StatusEvent& event : events)
    out += (out.empty() ? "" : " ") + event.item;
  return out;
}

/// A tracker without a thread, with a clock that stands still.
struct ManualTime {
  TimePoint now = {};
  [[nodiscard]] TrackerOptions options() {
    TrackerOptions options;
    options.delivery = Delivery::inline_;
    options.now = [this] { return now; };
    options.wall = [] { return WallTime{} + std::chrono::hours{24}; };
    return options;
  }
};

}  // namespace espalier::pipeline
