#include "espalier/pipeline/metrics/pipeline_figures.hpp"

#include "espalier/metrics/label.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace espalier::pipeline {

namespace {

using metrics::Family;
using metrics::Type;
using metrics::Writer;
using Rows = std::span<const PipelineRow>;

constexpr std::size_t most_pipelines = 200;

enum Name : std::size_t {
  items,
  in_flight,
  waiting_results,
  stage_items,
  stage_attempts,
  stage_retries,
  stage_queue,
  stage_capacity,
  stage_retrying,
  stage_workers,
  stage_busy,
  stage_seconds,
  stage_breaker,
};

constexpr std::array<Family, stage_breaker + 1> all = {{
    {"espalier_pipeline_items_total", "Items of a pipeline, by what became of them.", Type::counter,
     "path,outcome"},
    {"espalier_pipeline_items_in_flight", "Items that were accepted and have not ended.",
     Type::gauge, "path"},
    {"espalier_pipeline_results_waiting", "Results that nobody has taken yet.", Type::gauge,
     "path"},
    {"espalier_pipeline_stage_items_total", "Items that a stage is done with.", Type::counter,
     "path,stage,outcome"},
    {"espalier_pipeline_stage_attempts_total", "Attempts at items in a stage.", Type::counter,
     "path,stage"},
    {"espalier_pipeline_stage_retries_total", "Attempts after the first at an item.", Type::counter,
     "path,stage"},
    {"espalier_pipeline_stage_queue_length", "Items that wait for a worker of the stage.",
     Type::gauge, "path,stage"},
    {"espalier_pipeline_stage_queue_capacity", "Items that may wait for the stage.", Type::gauge,
     "path,stage"},
    {"espalier_pipeline_stage_retrying", "Items that wait for their next attempt.", Type::gauge,
     "path,stage"},
    {"espalier_pipeline_stage_workers", "Workers the stage may use now.", Type::gauge,
     "path,stage"},
    {"espalier_pipeline_stage_workers_busy", "Workers of the stage that work now.", Type::gauge,
     "path,stage"},
    {"espalier_pipeline_stage_seconds_total", "Time of items in a stage, by what went on.",
     Type::counter, "path,stage,part"},
    {"espalier_pipeline_stage_breaker_open", "1 while the circuit breaker lets nothing through.",
     Type::gauge, "path,stage"},
}};

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

void add(Counts& sum, const Counts& more) {
  sum.accepted += more.accepted;
  sum.succeeded += more.succeeded;
  sum.failed += more.failed;
  sum.skipped += more.skipped;
  sum.cancelled += more.cancelled;
  sum.rejected += more.rejected;
  sum.late += more.late;
}

void write_items(Writer& to, std::string_view path, const Counts& counts) {
  const auto one = [&](std::string_view outcome, std::uint64_t n) {
    to.sample({{"path", path}, {"outcome", outcome}}, static_cast<double>(n));
  };
  one("succeeded", counts.succeeded);
  one("failed", counts.failed);
  one("skipped", counts.skipped);
  one("cancelled", counts.cancelled);
  one("rejected", counts.rejected);
}

void write_pipelines(Writer& to, Rows own, Rows rest) {
  Counts sum;
  for (const auto& row : rest)
    add(sum, row.snapshot.counts);
  to.family(all[items]);
  for (const auto& row : own)
    write_items(to, row.path, row.snapshot.counts);
  if (!rest.empty()) write_items(to, metrics::others, sum);
  to.family(all[in_flight]);
  for (const auto& row : own) {
    to.sample({{"path", row.path}}, static_cast<double>(row.snapshot.counts.in_flight()));
  }
  if (!rest.empty()) to.sample({{"path", metrics::others}}, static_cast<double>(sum.in_flight()));
  to.family(all[waiting_results]);
  for (const auto& row : own)
    to.sample({{"path", row.path}}, static_cast<double>(row.snapshot.outputs_waiting));
}

/// A series for each stage: `value` of its figures.
template <class Value>
void write_stages(Writer& to, Name name, Rows rows, Value value) {
  to.family(all[name]);
  for (const auto& row : rows) {
    for (const auto& stage : row.snapshot.stages) {
      to.sample({{"path", row.path}, {"stage", stage.name}}, static_cast<double>(value(stage)));
    }
  }
}

/// Several series for each stage, told apart by one more label.
template <class Parts>
void write_parts(Writer& to, Name name, std::string_view label, Rows rows, Parts parts) {
  to.family(all[name]);
  for (const auto& row : rows) {
    for (const auto& stage : row.snapshot.stages) {
      parts(stage, [&](std::string_view part, double value) {
        to.sample({{"path", row.path}, {"stage", stage.name}, {label, part}}, value);
      });
    }
  }
}

}  // namespace

void PipelineFigures::write(Writer& to) const {
  const auto rows = board_->rows();
  const auto own = Rows{rows}.subspan(0, std::min(rows.size(), most_pipelines));
  write_pipelines(to, own, Rows{rows}.subspan(own.size()));
  write_parts(to, stage_items, "outcome", own, [](const StageStats& s, auto tell) {
    tell("completed", static_cast<double>(s.completed - s.skipped));
    tell("skipped", static_cast<double>(s.skipped));
    tell("failed", static_cast<double>(s.failed));
  });
  write_stages(to, stage_attempts, own, [](const StageStats& s) { return s.attempts; });
  write_stages(to, stage_retries, own, [](const StageStats& s) { return s.retries; });
  write_stages(to, stage_queue, own, [](const StageStats& s) { return s.queued; });
  write_stages(to, stage_capacity, own, [](const StageStats& s) { return s.capacity; });
  write_stages(to, stage_retrying, own, [](const StageStats& s) { return s.retrying; });
  write_stages(to, stage_workers, own, [](const StageStats& s) { return s.workers; });
  write_stages(to, stage_busy, own, [](const StageStats& s) { return s.busy; });
  write_parts(to, stage_seconds, "part", own, [](const StageStats& s, auto tell) {
    tell("queued", seconds(s.queue_time));
    tell("working", seconds(s.service_time));
    tell("retrying", seconds(s.retry_time));
    tell("blocked", seconds(s.blocked_time));
  });
  write_stages(to, stage_breaker, own,
               [](const StageStats& s) { return s.breaker == StageStats::Breaker::open ? 1 : 0; });
}

std::span<const Family> PipelineFigures::families() {
  return all;
}

}  // namespace espalier::pipeline
