#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

struct PipelinesParams {
  std::optional<std::string> path = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "The child or subtree; left out: all pipelines of the tree.");
  }
};

struct PipelineStageInfo {
  std::string name = {};
  std::uint64_t workers = 0;
  std::uint64_t busy = 0;
  std::uint64_t capacity = 0;
  std::uint64_t queued = 0;
  std::uint64_t in_work = 0;
  std::uint64_t retrying = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t retries = 0;
  double queue_ms = 0;
  double service_ms = 0;
  double blocked_ms = 0;
  std::optional<std::string> breaker = {};
  static void describe(auto& self, auto& visit) {
    visit("name", self.name, "Of the stage; \"outer/inner\" in a nested pipeline.");
    visit("workers", self.workers, "Allowed now.");
    visit("busy", self.busy, "At work now.");
    visit("capacity", self.capacity, "Items that may be at the stage.");
    visit("queued", self.queued, "Items that wait for a worker.");
    visit("in_work", self.in_work, "Items in the hands of workers.");
    visit("retrying", self.retrying, "Items that wait for their next attempt.");
    visit("completed", self.completed, "Items that went on.");
    visit("failed", self.failed, "Items that ended here.");
    visit("skipped", self.skipped, "Items that were let through or dropped untouched.");
    visit("retries", self.retries, "Attempts after the first.");
    visit("queue_ms", self.queue_ms, "Waited in the queue, on average.");
    visit("service_ms", self.service_ms, "Worked on, on average per attempt.");
    visit("blocked_ms", self.blocked_ms, "How long the next stage's lack of room held it up.");
    visit("breaker", self.breaker, "closed, open or half_open; left out: it has none.");
  }
};

struct PipelineWorkerInfo {
  std::string name = {};
  std::string stage = {};
  std::optional<std::string> item = {};
  std::optional<std::string> status = {};
  static void describe(auto& self, auto& visit) {
    visit("name", self.name, "Stage and number.");
    visit("stage", self.stage, "Its stage.");
    visit("item", self.item, "The item it works on; left out: it is idle.");
    visit("status", self.status, "What the task says it is doing.");
  }
};

struct PipelineInfo {
  std::string path = {};
  std::string name = {};
  std::uint64_t accepted = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t rejected = 0;
  std::vector<PipelineStageInfo> stages = {};
  std::vector<PipelineWorkerInfo> workers = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "Of the child that runs it.");
    visit("name", self.name, "Of the pipeline.");
    visit("accepted", self.accepted,
          "Items taken in; the sum of succeeded, failed, skipped, cancelled and in_flight.");
    visit("succeeded", self.succeeded, "Items that reached the end.");
    visit("failed", self.failed, "Items that failed for good.");
    visit("skipped", self.skipped, "Items that ended early without an error.");
    visit("cancelled", self.cancelled, "Items that were cut short.");
    visit("in_flight", self.in_flight, "Items that have not ended.");
    visit("rejected", self.rejected, "Items refused for want of room; not in the sum.");
    visit("stages", self.stages, "In the order of the plan.");
    visit("workers", self.workers, "Those that are at work, at most 256.");
  }
};

struct PipelinesResult {
  std::vector<PipelineInfo> pipelines = {};
  static void describe(auto& self, auto& visit) {
    visit("pipelines", self.pipelines, "Those that run now, by path.");
  }
};

}  // namespace espalier::ipc
