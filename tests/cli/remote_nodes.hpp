#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/ipc/wire/messages.hpp"

#include <chrono>
#include <ostream>
#include <sstream>
#include <string>

namespace espalier::cli {

/// The moment at which the snapshots of these tests were taken.
inline const ipc::Timestamp test_now = ipc::Timestamp{} + std::chrono::hours{24 * 20'000};

inline ipc::NodeInfo test_node(const std::string& path,
                               supervisor::ChildPhase phase = supervisor::ChildPhase::running) {
  ipc::NodeInfo node;
  node.path = path;
  node.kind = path == "/" ? supervisor::ChildKind::supervisor : supervisor::ChildKind::process;
  node.phase = phase;
  node.lifecycle = ipc::lifecycle_of(phase);
  node.generation = 1;
  node.attempt = 1;
  node.since = test_now - std::chrono::seconds{75};
  node.readiness = "none";
  node.health = "none";
  return node;
}

inline ipc::Snapshot test_snapshot(std::vector<ipc::NodeInfo> nodes,
                                   const std::string& state = "up") {
  ipc::Snapshot snapshot;
  snapshot.generated_at = test_now;
  snapshot.state = state;
  snapshot.nodes = std::move(nodes);
  return snapshot;
}

/// A terminal whose output is kept.
struct TestTerminal {
  std::ostringstream out = {};
  std::ostringstream err = {};
  Terminal terminal{.out = out, .err = err};
};

}  // namespace espalier::cli
