#pragma once

#include "cli/remote_nodes.hpp"
#include "espalier/cli/top/top_view.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// A tree of a web server, two workers and a pool of two.
inline std::vector<ipc::NodeInfo> top_nodes() {
  auto root = test_node("/");
  auto web = test_node("/web");
  web.lifecycle = ipc::Lifecycle::ready;
  web.pid = 4242;
  web.restarts = {.used = 2, .limit = 10, .window_ms = 60'000, .total = 3};
  web.status_text = "serving 12 requests a second";
  web.resources = ipc::ResourceInfo{.cpu_ms = 1250, .rss_bytes = 42UL << 20U, .fds = 17};
  auto workers = test_node("/workers");
  workers.kind = supervisor::ChildKind::supervisor;
  auto a = test_node("/workers/a");
  auto b = test_node("/workers/b", supervisor::ChildPhase::backing_off);
  b.restarts = {.used = 3, .limit = 0, .window_ms = 0, .total = 5};
  b.since = test_now - std::chrono::seconds{2};
  b.last_exit = ipc::ExitInfo{.kind = "failed", .category = "recoverable", .code = 1};
  b.pending_restart = ipc::PendingRestart{test_now + std::chrono::seconds{4}, "back-off"};
  auto pool = test_node("/pool");
  pool.kind = supervisor::ChildKind::pool;
  return {root, web, workers, a, b, pool, test_node("/pool/1"), test_node("/pool/2")};
}

/// The same with a pipeline, which is the last one.
inline std::vector<ipc::NodeInfo> top_nodes_with_pipeline() {
  auto nodes = top_nodes();
  auto orders = test_node("/orders");
  orders.kind = supervisor::ChildKind::pipeline;
  nodes.push_back(orders);
  return nodes;
}

inline TopPipeline top_pipeline(std::uint64_t succeeded, std::uint64_t failed) {
  ipc::PipelineInfo info;
  info.path = "/orders";
  info.name = "shop";
  info.succeeded = succeeded;
  info.failed = failed;
  info.in_flight = 10;
  info.accepted = succeeded + failed + info.in_flight;
  ipc::PipelineStageInfo price;
  price.name = "price";
  price.workers = 2;
  price.busy = 2;
  price.capacity = 20;
  price.queued = 8;
  price.completed = succeeded;
  price.failed = failed;
  price.service_ms = 12.5;
  info.stages = {price};
  return {"/orders", info, {}};
}

inline ipc::HelloResult top_hello() {
  ipc::HelloResult hello;
  hello.target_id = "demo";
  hello.display_name = "demo";
  hello.pid = 999;
  hello.started_at = test_now - std::chrono::minutes{192};
  hello.allowed = {ipc::MethodClass::read, ipc::MethodClass::write, ipc::MethodClass::dangerous};
  return hello;
}

inline ipc::Snapshot top_snapshot(std::vector<ipc::NodeInfo> nodes = top_nodes()) {
  auto snapshot = test_snapshot(std::move(nodes), "degraded");
  snapshot.counts = {{"ready", 1}, {"running", 6}, {"backing_off", 1}, {"total", 8}};
  return snapshot;
}

/// A dashboard whose keys are typed as on a keyboard.
struct TopBench {
  TopModel model;
  ipc::Timestamp now = test_now;

  explicit TopBench(TopSize size = {}, bool read_only = false)
      : model({.user = "ann", .read_only = read_only}) {
    give(size);
    give(TopConnected{top_hello()});
    give(top_snapshot());
  }
  TopEffects give(const TopInput& input) { return model.take(input, now); }
  TopEffects type(const std::string& keys) {
    TopEffects all;
    KeyReader reader;
    std::vector<Key> typed = reader.read(keys);
    for (const Key& key : reader.flush())
      typed.push_back(key);
    for (const Key& key : typed) {
      TopEffects one = give(key);
      if (one.follow) all.follow = one.follow;
      if (one.why) all.why = one.why;
      if (one.command) all.command = one.command;
      all.quit = all.quit || one.quit;
      all.interrupted = all.interrupted || one.interrupted;
    }
    return all;
  }
  [[nodiscard]] std::vector<std::string> paths() const {
    std::vector<std::string> out;
    for (const auto& row : model.tree().rows())
      out.push_back(model.tree().node(row).path);
    return out;
  }
  [[nodiscard]] std::string picture(TopLook look = {}) const {
    std::string out;
    for (const std::string& line : render_top(model, look).lines)
      out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    return out;
  }
};

}  // namespace espalier::cli
