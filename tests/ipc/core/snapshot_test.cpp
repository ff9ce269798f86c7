#include "espalier/ipc/core/snapshot_of.hpp"
#include "espalier/ipc/wire/codec.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>
#include <limits>

namespace espalier::ipc {
namespace {

using nlohmann::json;
using supervisor::ChildPhase;
using supervisor::Intent;
using supervisor::NodeState;
using namespace std::chrono_literals;

struct SnapshotTest : testing::Test {
  TargetInfo info{"shop", "The shop", 7, "1.0", {}, 5};
  supervisor::TreeState tree = {};
  supervisor::HealthReport health{.state = supervisor::HealthReport::State::up};
  supervisor::ChildSpec spec = {};
  NodeState node = {};

  SnapshotTest() {
    spec.name = "db";
    spec.kind = node.kind = supervisor::ChildKind::process;
    node.path = "/db";
    tree.sequence = 12;
    tree.config_version = "v1";
  }
  SnapshotSource source() {
    return {.target = info, .tree = tree, .health = health, .wall_offset = 500s};
  }
  json write() {
    node.spec = std::make_shared<const supervisor::ChildSpec>(spec);
    tree.nodes = {node};
    SnapshotText text;
    append_snapshot(text, source());
    return json::parse(text.text);
  }
  json write_node() { return write().at("nodes").at(0); }
};

TEST_F(SnapshotTest, is_what_the_codec_writes) {
  node.view.status = std::make_shared<const std::string>("busy \"now\"");
  node.view.pid = 9;
  node.view.last_exit = std::make_shared<const supervisor::ExitRecord>(
      supervisor::ExitRecord{.kind = supervisor::ExitKind::failed, .code = 3, .message = "no"});
  node.view.last_decision = std::make_shared<const supervisor::RestartDecision>();
  spec.tags = {"a", "b"};
  spec.dependencies = {"x"};
  spec.group = "g";
  spec.role = supervisor::WorkRole::worker;
  spec.position = {"tree.yaml", 3, 4};
  node.spec = std::make_shared<const supervisor::ChildSpec>(spec);
  tree.nodes = {node, node};
  auto from = source();
  from.shutdown = ShutdownInfo{"request_stop", 1};
  from.resources = [](std::int64_t) { return ResourceInfo{1.5, 2, 3}; };
  SnapshotText text;
  append_snapshot(text, from);
  const auto read = decode<Snapshot>(*parse_json(text.text), Unknown::refuse);
  ASSERT_TRUE(read) << read.error();
  std::string again;
  encode(again, *read);
  EXPECT_EQ(again, text.text);
  ASSERT_EQ(text.nodes.size(), 2U);
  const auto& slice = text.nodes[1];
  again.clear();
  encode(again, read->nodes[1]);
  EXPECT_EQ(text.text.substr(slice.begin, slice.end - slice.begin), again);
  EXPECT_EQ(read->nodes[0].source, "tree.yaml:3:4");
  EXPECT_EQ(read->nodes[0].last_exit->code, 3);
}

TEST_F(SnapshotTest, says_since_when_and_until_when_in_wall_time) {
  node.view.phase = ChildPhase::backing_off;
  node.view.since = supervisor::TimePoint{1s};
  node.view.due = supervisor::TimePoint{2s + 1us};
  const auto wire = write_node();
  EXPECT_EQ(wire.at("since"), "1970-01-01T00:08:21.000000Z");
  EXPECT_EQ(wire.at("pending_restart").at("at"), "1970-01-01T00:08:22.000001Z");
  EXPECT_EQ(wire.at("lifecycle"), "backing_off");
  node.view.phase = ChildPhase::queued;
  EXPECT_TRUE(write_node().contains("pending_restart"));
  node.view.phase = ChildPhase::stopping;  // The deadline is another one.
  EXPECT_FALSE(write_node().contains("pending_restart"));
}

TEST_F(SnapshotTest, tells_readiness_and_health_as_the_tree_counts_them) {
  const auto told = [&](ChildPhase phase, Intent intent = Intent::run) {
    node.view.phase = phase;
    node.view.intent = intent;
    const auto wire = write_node();
    return wire.at("readiness").get<std::string>() + ' ' + wire.at("health").get<std::string>();
  };
  EXPECT_EQ(told(ChildPhase::running), "ready ok");
  EXPECT_EQ(told(ChildPhase::suspended, Intent::paused), "ready ok");
  EXPECT_EQ(told(ChildPhase::starting), "waiting unready");
  EXPECT_EQ(told(ChildPhase::backing_off), "waiting unready");
  EXPECT_EQ(told(ChildPhase::stopped), "none none");
  EXPECT_EQ(told(ChildPhase::quarantined), "none unready");
  EXPECT_EQ(told(ChildPhase::paused, Intent::paused), "none none");
  spec.policy.severity = supervisor::SeverityClass::optional;
  EXPECT_EQ(told(ChildPhase::starting), "waiting none");
}

TEST_F(SnapshotTest, has_the_limit_and_its_window) {
  node.view.restart_limit = 4;
  node.view.restarts_in_window = 2;
  node.view.restarts_total = 9;
  spec.policy.restart_limit = supervisor::RestartLimit{4, 1500ms};
  EXPECT_EQ(write_node().at("restarts"),
            json::parse(R"({"used":2,"limit":4,"window_ms":1500,"total":9})"));
  spec.policy.restart_limit = {};
  EXPECT_EQ(write_node().at("restarts").at("window_ms"), 0);
}

TEST_F(SnapshotTest, asks_for_resources_only_of_what_has_a_process) {
  auto from = source();
  std::vector<std::int64_t> asked;
  from.resources = [&](std::int64_t pid) {
    asked.push_back(pid);
    return std::optional<ResourceInfo>{};
  };
  tree.nodes = {node, node};
  tree.nodes[1].view.pid = 31;
  SnapshotText text;
  append_snapshot(text, from);
  EXPECT_THAT(asked, testing::ElementsAre(31));
}

TEST_F(SnapshotTest, counts_by_lifecycle) {
  supervisor::PhaseCounts counts;
  counts.total = 6;
  for (const auto phase : {ChildPhase::running, ChildPhase::blocked, ChildPhase::gated,
                           ChildPhase::stopping, ChildPhase::aborting, ChildPhase::removed})
    ++counts.by_phase[static_cast<std::size_t>(phase)];
  tree.counts = counts;
  const auto wire = write().at("counts");
  EXPECT_EQ(wire.at("total"), 6);
  EXPECT_EQ(wire.at("ready"), 1);
  EXPECT_EQ(wire.at("pending"), 2);
  EXPECT_EQ(wire.at("stopping"), 2);
  EXPECT_EQ(wire.at("failed"), 0);
  EXPECT_EQ(wire.size(), 10U);
  EXPECT_EQ(remaining_of(counts), 3U);
}

// Prints what docs/performance.md has; the bound only catches what has gone badly wrong.
TEST_F(SnapshotTest, of_ten_thousand_nodes_takes_milliseconds) {
  node.view.phase = ChildPhase::running;
  node.view.pid = 4711;
  node.view.since = supervisor::TimePoint{1234567us};
  spec.tags = {"storage"};
  auto command = supervisor::ProcessSpec{};
  command.command = {"/usr/bin/worker"};
  spec.process = std::make_shared<const supervisor::ProcessSpec>(command);
  node.spec = std::make_shared<const supervisor::ChildSpec>(spec);
  for (int i = 0; i < 10'000; ++i) {
    tree.nodes.push_back(node);
    tree.nodes.back().path = "/pool/" + std::to_string(i);
  }
  auto best = std::numeric_limits<double>::max();
  std::size_t bytes = 0;
  for (int i = 0; i < 10; ++i) {
    SnapshotText text;
    const auto begin = std::clock();  // Of this process: whatever else the machine does.
    append_snapshot(text, source());
    best = std::min(best, 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    bytes = text.text.size();
  }
  std::cout << "snapshot of 10,000 nodes: " << best << " ms, " << bytes << " bytes\n";
  EXPECT_LT(best, 500);
}

}  // namespace
}  // namespace espalier::ipc
