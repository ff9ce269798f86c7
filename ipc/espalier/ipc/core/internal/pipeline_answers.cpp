#include "espalier/ipc/core/internal/answers.hpp"
#include "espalier/ipc/wire/codec.hpp"

#include <chrono>
#include <utility>

namespace espalier::ipc::internal {

namespace {

constexpr std::size_t most_workers = 256;

double ms_of(supervisor::Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

double average_ms(supervisor::Duration sum, std::uint64_t count) {
  return count == 0 ? 0 : ms_of(sum) / static_cast<double>(count);
}

std::optional<std::string> word_of(pipeline::StageStats::Breaker breaker) {
  switch (breaker) {
    case pipeline::StageStats::Breaker::none:
      break;
    case pipeline::StageStats::Breaker::closed:
      return "closed";
    case pipeline::StageStats::Breaker::open:
      return "open";
    case pipeline::StageStats::Breaker::half_open:
      return "half_open";
  }
  return {};
}

PipelineStageInfo info_of(const pipeline::StageStats& stage) {
  return {.name = stage.name,
          .workers = stage.workers,
          .busy = stage.busy,
          .capacity = stage.capacity,
          .queued = stage.queued,
          .in_work = stage.in_work,
          .retrying = stage.retrying,
          .completed = stage.completed,
          .failed = stage.failed,
          .skipped = stage.skipped,
          .retries = stage.retries,
          .queue_ms = average_ms(stage.queue_time, stage.attempts),
          .service_ms = average_ms(stage.service_time, stage.attempts),
          .blocked_ms = ms_of(stage.blocked_time),
          .breaker = word_of(stage.breaker)};
}

PipelineInfo info_of(const pipeline::PipelineRow& row) {
  const auto& counts = row.snapshot.counts;
  PipelineInfo info{.path = row.path,
                    .name = row.snapshot.name,
                    .accepted = counts.accepted,
                    .succeeded = counts.succeeded,
                    .failed = counts.failed,
                    .skipped = counts.skipped,
                    .cancelled = counts.cancelled,
                    .in_flight = counts.in_flight(),
                    .rejected = counts.rejected};
  for (const auto& stage : row.snapshot.stages)
    info.stages.push_back(info_of(stage));
  for (const auto& worker : row.snapshot.workers) {
    if (!worker.busy || info.workers.size() == most_workers) continue;
    PipelineWorkerInfo wire{.name = worker.name, .stage = worker.stage, .item = worker.item};
    if (!worker.status.empty()) wire.status = worker.status;
    info.workers.push_back(std::move(wire));
  }
  return info;
}

bool is_within(const std::string& path, const std::string& top) {
  return top == "/" || path == top || path.starts_with(top + "/");
}

}  // namespace

std::string pipelines_text(Target& target, const PipelinesParams& params) {
  PipelinesResult result;
  const auto top = params.path.value_or("/");
  for (const auto& row : target.pipelines()) {
    if (is_within(row.path, top)) result.pipelines.push_back(info_of(row));
  }
  std::string text;
  encode(text, result);
  return text;
}

}  // namespace espalier::ipc::internal
