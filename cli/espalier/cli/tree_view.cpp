#include "espalier/cli/tree_view.hpp"

#include "espalier/cli/text_cells.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

constexpr std::size_t kept_log_lines = 200;

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

/// Events that the rows show already and that would only push others out of the log.
bool is_log_worthy(const sv::Event& event) {
  if (std::holds_alternative<sv::events::ChildStatusText>(event.body)) return false;
  return sv::severity_of(event.body) != sv::Severity::debug;
}

}  // namespace

const char* to_string(NodeState x) {
  switch (x) {
    case NodeState::waiting:
      return "waiting";
    case NodeState::starting:
      return "starting";
    case NodeState::up:
      return "up";
    case NodeState::backing_off:
      return "back-off";
    case NodeState::stopping:
      return "stopping";
    case NodeState::stopped:
      return "stopped";
    case NodeState::failed:
      return "failed";
    case NodeState::quarantined:
      return "quarantined";
    case NodeState::abandoned:
      return "abandoned";
  }
  return "?";
}

TreeView::TreeView(const sv::SupervisorSpec& root) {
  Node node;
  node.path = "/";
  node.name = escape_controls(root.name);
  nodes_.push_back(std::move(node));
  add_children(root, "/", "");
  index_nodes();
}

void TreeView::index_nodes() {
  index_.clear();
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    index_[nodes_[i].path] = i;
}

void TreeView::follow_changes(const sv::Event& event) {
  const auto found = index_.find(event.path);
  if (std::holds_alternative<sv::events::ChildRemoved>(event.body) && found != index_.end()) {
    const std::string below = event.path + "/";
    std::erase_if(nodes_, [&](const Node& node) {
      return node.path == event.path || node.path.rfind(below, 0) == 0;
    });
    index_nodes();
  }
  if (!std::holds_alternative<sv::events::ChildAdded>(event.body) || found != index_.end()) return;
  const std::string name = event.path.substr(event.path.rfind('/') + 1);
  if (!sv::is_valid_name(name)) return;
  const std::string beside = event.path.substr(0, event.path.size() - name.size());
  const auto parent = index_.find(beside.size() > 1 ? beside.substr(0, beside.size() - 1) : beside);
  if (parent == index_.end()) return;
  std::size_t at = parent->second + 1;
  while (at < nodes_.size() && nodes_[at].path.rfind(beside, 0) == 0)
    ++at;
  Node node;
  node.path = event.path;
  node.name = escape_controls(name);
  const auto levels = static_cast<std::size_t>(std::count(beside.begin(), beside.end(), '/'));
  node.branch = std::string(3 * (levels - 1), ' ') + "+- ";
  nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(at), std::move(node));
  index_nodes();
}

void TreeView::add_children(const sv::SupervisorSpec& spec, const std::string& path,
                            const std::string& indent) {
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    const sv::ChildSpec& child = spec.children[i];
    const bool last = i + 1 == spec.children.size();
    Node node;
    node.path = sv::join_path(path, child.name);
    node.branch = indent + (last ? "`- " : "+- ");
    node.name = escape_controls(child.name);
    node.explicit_ready = child.policy.readiness != sv::Readiness::immediate ||
                          child.kind == sv::ChildKind::supervisor ||
                          child.kind == sv::ChildKind::pool;
    const std::string child_path = node.path;
    nodes_.push_back(std::move(node));
    if (child.supervisor)
      add_children(*child.supervisor, child_path, indent + (last ? "   " : "|  "));
  }
}

void TreeView::fold(const sv::Event& event) {
  follow_changes(event);
  if (const auto found = index_.find(event.path); found != index_.end()) {
    fold_node(nodes_[found->second], event);
  }
  if (event.path == "/") fold_root(event);
  if (is_log_worthy(event)) {
    push_log({event.at, sv::severity_of(event.body),
              event.path + " " + sv::describe(event.body, event.path)});
  }
}

void TreeView::fold_root(const sv::Event& event) {
  if (std::holds_alternative<sv::events::TreeStarting>(event.body)) {
    started_ = event.monotonic;
  } else if (std::holds_alternative<sv::events::TreeStarted>(event.body)) {
    up_ = true;
  } else if (std::holds_alternative<sv::events::ShutdownRequested>(event.body)) {
    stopping_ = true;
  }
}

void TreeView::set_state(Node& node, NodeState state, sv::TimePoint at) {
  if (node.state == state) return;
  node.state = state;
  node.since = at;
}

void TreeView::fold_node(Node& node, const sv::Event& event) {
  namespace ev = sv::events;
  const auto to = [&](NodeState state) { set_state(node, state, event.monotonic); };
  const auto decided = [&](const sv::RestartDecision& decision) {
    if (decision.exit.is_failure()) node.reason = sv::describe(decision.exit);
    if (decision.verdict != sv::Verdict::restart_after) return;
    to(NodeState::backing_off);
    node.until = event.monotonic + decision.delay;
  };
  std::visit(
      Overload{
          [&](const ev::TreeStarting&) { to(NodeState::starting); },
          [&](const ev::TreeStarted&) { to(NodeState::up); },
          [&](const ev::TreeStartFailed& x) { to(NodeState::failed), node.reason = x.error; },
          [&](const ev::TreeStopped& x) {
            to(x.result == "stopped" ? NodeState::stopped : NodeState::failed);
          },
          [&](const ev::ChildStarting&) { to(NodeState::starting), node.status.clear(); },
          [&](const ev::ChildRunning&) {
            to(node.explicit_ready ? NodeState::starting : NodeState::up);
          },
          [&](const ev::ChildReady&) { to(NodeState::up); },
          [&](const ev::ChildStartFailed& x) { to(NodeState::failed), node.reason = x.error; },
          [&](const ev::ChildStopping&) { to(NodeState::stopping); },
          [&](const ev::ChildExited& x) {
            if (x.exit.is_failure()) node.reason = sv::describe(x.exit);
            to(x.exit.is_failure() ? NodeState::failed : NodeState::stopped);
          },
          [&](const ev::ChildStopped&) { to(NodeState::stopped); },
          [&](const ev::ChildFailed& x) { to(NodeState::failed), node.reason = x.reason; },
          [&](const ev::ChildQuarantined& x) {
            to(NodeState::quarantined), node.reason = x.reason;
          },
          [&](const ev::ChildUnhealthy& x) { node.reason = "unhealthy: " + x.probe; },
          [&](const ev::ChildStatusText& x) { node.status = x.text; },
          [&](const ev::ChildAborted&) { to(NodeState::stopped), node.reason = "aborted"; },
          [&](const ev::ChildAbortFailed&) { to(NodeState::abandoned); },
          [&](const ev::RestartDecided& x) {
            if (x.decision) decided(*x.decision);
          },
          [&](const ev::RestartCancelled&) { to(NodeState::stopped); },
          [&](const ev::ChildRestarted& x) { node.restarts = x.restarts_total; },
          [&](const ev::Escalated& x) { node.reason = x.reason; },
          [](const auto&) {},
      },
      event.body);
}

void TreeView::add_output(const sv::OutputLine& line, std::chrono::system_clock::time_point at) {
  push_log({at, sv::Severity::debug, line.path + ": " + line.text});
}

void TreeView::add_note(const std::string& text, std::chrono::system_clock::time_point at) {
  push_log({at, sv::Severity::warning, text});
}

void TreeView::push_log(LogLine line) {
  line.text = escape_controls(line.text);
  log_.push_back(std::move(line));
  if (log_.size() > kept_log_lines) log_.pop_front();
}

const Node* TreeView::find(const std::string& path) const {
  const auto found = index_.find(path);
  return found == index_.end() ? nullptr : &nodes_[found->second];
}

TreeCounts TreeView::counts() const {
  TreeCounts counts;
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    ++counts.children;
    counts.restarts += node.restarts;
    if (node.state == NodeState::up) ++counts.up;
    if (node.state == NodeState::backing_off || node.state == NodeState::failed ||
        node.state >= NodeState::quarantined) {
      ++counts.troubled;
    }
  }
  return counts;
}

std::string TreeView::status_line() const {
  const TreeCounts sum = counts();
  std::string line = std::to_string(sum.up) + "/" + std::to_string(sum.children) + " children up";
  for (const NodeState state :
       {NodeState::backing_off, NodeState::quarantined, NodeState::failed}) {
    std::size_t count = 0;
    std::string first;
    for (const Node& node : nodes_) {
      if (node.state != state || node.path == "/") continue;
      if (count++ == 0) first = node.path;
    }
    if (count == 0) continue;
    const char* word = state == NodeState::backing_off ? "restarting" : to_string(state);
    line += ", " + std::to_string(count) + " " + word + " (" + first + (count > 1 ? ", ..)" : ")");
  }
  return stopping_ ? "stopping: " + line : line;
}

}  // namespace espalier::cli
