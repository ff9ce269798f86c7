#pragma once

#include "espalier/pipeline/show/dashboard.hpp"
#include "espalier/pipeline/show/internal/text.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// 100 of 300 done after 20 s: two stages, three workers, three errors.
inline DashboardView busy_view() {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  DashboardView view;
  view.total = 300;
  view.elapsed = seconds(20);
  view.rate = 4.5;
  view.eta = seconds(44);
  auto& snapshot = view.snapshot;
  snapshot.name = "crawl";
  snapshot.at = TimePoint{} + seconds(20);
  snapshot.counts = {.accepted = 112, .succeeded = 95, .failed = 3, .skipped = 2, .cancelled = 0};
  StageStats fetch;
  fetch.name = "fetch";
  fetch.workers = 2;
  fetch.busy = 2;
  fetch.queued = 9;
  fetch.in_work = 2;
  fetch.completed = 101;
  fetch.attempts = 104;
  fetch.queue_time = milliseconds(1040);
  fetch.service_time = seconds(52);
  StageStats store;
  store.name = "store";
  store.workers = 1;
  store.busy = 1;
  store.in_work = 1;
  store.completed = 97;
  store.failed = 3;
  store.attempts = 100;
  store.service_time = milliseconds(200);
  store.breaker = StageStats::Breaker::half_open;
  snapshot.stages = {fetch, store};
  snapshot.workers = {{"fetch-W0", "fetch", true, "101", "page 3 of 5", TimePoint{} + seconds(18),
                       50, 0, seconds(25)},
                      {"fetch-W1", "fetch", true, "doc\n7", "", TimePoint{} + milliseconds(19'500),
                       51, 0, seconds(27)},
                      {"store-W0", "store", false, "", "", {}, 97, 3, milliseconds(200)}};
  view.errors.total_failed = 3;
  view.errors.by_type = {{"std::bad_alloc", 1}, {"std::runtime_error", 2}};
  view.errors.by_stage = {{"store", 3}};
  FailedItem failed;
  failed.item = "88";
  failed.stage = "store";
  failed.error = "disk \x1b[31mfull";
  failed.error_type = "std::runtime_error";
  failed.attempts = 3;
  view.errors.items = {failed};
  return view;
}

inline StatusEvent shown_item(const std::string& id, Status status, const std::string& stage) {
  StatusEvent event;
  event.item = id;
  event.status = status;
  event.stage = stage;
  event.worker = stage + "-W0";
  event.at = TimePoint{} + std::chrono::seconds(17);
  return event;
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines)
    out += line + "\n";
  return out;
}

inline std::size_t widest(const std::vector<std::string>& lines) {
  std::size_t most = 0;
  for (const std::string& line : lines)
    most = std::max(most, internal::cells(line));
  return most;
}

}  // namespace espalier::pipeline
