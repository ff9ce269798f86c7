#include "espalier/pipeline/show/internal/text.hpp"
#include "espalier/pipeline/show/render.hpp"
#include "espalier/supervisor/observe/json_object.hpp"

#include <map>

namespace espalier::pipeline {
namespace {

using supervisor::json::JsonObject;

const char* breaker_word(StageStats::Breaker breaker) {
  switch (breaker) {
    case StageStats::Breaker::closed:
      return "closed";
    case StageStats::Breaker::open:
      return "open";
    case StageStats::Breaker::half_open:
      return "half_open";
    case StageStats::Breaker::none:
      break;
  }
  return "none";
}

void add_counts(JsonObject& json, const DashboardView& view) {
  const Counts& counts = view.snapshot.counts;
  json.number("accepted", counts.accepted);
  json.number("succeeded", counts.succeeded);
  json.number("failed", counts.failed);
  json.number("skipped", counts.skipped);
  json.number("cancelled", counts.cancelled);
  json.number("rejected", counts.rejected);
  json.number("late", counts.late);
  json.number("in_flight", counts.in_flight());
  json.number("outputs_waiting", view.snapshot.outputs_waiting);
}

void append_stage(std::string& out, const StageStats& stage) {
  JsonObject json(out);
  json.text("name", stage.name);
  json.number("workers", stage.workers);
  json.number("busy", stage.busy);
  json.number("capacity", stage.capacity);
  json.number("queued", stage.queued);
  json.number("retrying", stage.retrying);
  json.number("in_work", stage.in_work);
  json.number("completed", stage.completed);
  json.number("failed", stage.failed);
  json.number("skipped", stage.skipped);
  json.number("attempts", stage.attempts);
  json.number("retries", stage.retries);
  json.ms("queue_ms", stage.queue_time);
  json.ms("service_ms", stage.service_time);
  json.ms("retry_ms", stage.retry_time);
  json.ms("blocked_ms", stage.blocked_time);
  json.text("breaker", breaker_word(stage.breaker));
}

void append_worker(std::string& out, const WorkerState& worker, TimePoint now) {
  JsonObject json(out);
  json.text("name", worker.name);
  json.text("stage", worker.stage);
  json.flag("busy", worker.busy);
  if (worker.busy) {
    json.text("item", worker.item);
    json.text("status", worker.status);
    json.ms("busy_ms", now - worker.since);
  }
  json.number("completed", worker.completed);
  json.number("failed", worker.failed);
  json.ms("service_ms", worker.service_time);
}

void append_error(std::string& out, const FailedItem& item) {
  JsonObject json(out);
  json.text("item", item.item);
  json.text("stage", item.stage);
  json.text("type", item.error_type);
  json.text("error", item.error);
  json.number("attempts", item.attempts);
  json.time("at", item.wall);
}

// Arrays and not objects: names of types and stages are no keys of ours.
void add_tally(JsonObject& json, const char* key, const char* what,
               const std::map<std::string, std::uint64_t>& counts) {
  json.array(key, by_count(counts), [what](std::string& out, const auto& entry) {
    JsonObject one(out);
    one.text(what, entry.first);
    one.number("count", entry.second);
  });
}

}  // namespace

std::string json_line(const DashboardView& view, const std::string& word, WallTime now) {
  std::string out;
  {
    JsonObject json(out);
    json.time("at", now);
    json.text("event", word);
    json.text("pipeline", view.snapshot.name);
    if (view.total) json.number("total", *view.total);
    json.number("done", view.done());
    json.ms("elapsed_ms", view.elapsed);
    json.key("rate_per_s") += internal::decimal(view.rate, 3);
    if (view.eta) json.ms("eta_ms", *view.eta);
    add_counts(json, view);
    json.array("stages", view.snapshot.stages, append_stage);
    json.array("workers", view.snapshot.workers, [&](std::string& to, const WorkerState& worker) {
      append_worker(to, worker, view.snapshot.at);
    });
    add_tally(json, "errors_by_type", "type", view.errors.by_type);
    add_tally(json, "errors_by_stage", "stage", view.errors.by_stage);
    json.array("last_errors", view.errors.items, append_error);
    json.number("events_dropped", view.events_dropped);
  }
  return out;
}

}  // namespace espalier::pipeline
