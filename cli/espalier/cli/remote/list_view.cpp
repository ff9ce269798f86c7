#include "espalier/cli/remote/table.hpp"
#include "espalier/cli/remote/views.hpp"
#include "espalier/cli/remote/words.hpp"

#include <algorithm>

namespace espalier::cli {
namespace {

using ipc::Lifecycle;
using ipc::NodeInfo;

// Worst first: what an operator wants to see at the top.
int rank(const NodeInfo& node) {
  if (ink_of(node) == Ink::bad) return 0;
  switch (node.lifecycle) {
    case Lifecycle::failed:
      return 0;
    case Lifecycle::backing_off:
      return 1;
    case Lifecycle::queued:
      return 2;
    case Lifecycle::starting:
      return 3;
    case Lifecycle::stopping:
      return 4;
    case Lifecycle::running:
      return 5;
    case Lifecycle::pending:
      return 6;
    case Lifecycle::stopped:
      return 7;
    case Lifecycle::ready:
      return 8;
  }
  return 9;
}

bool comes_before(const NodeInfo& a, const NodeInfo& b, const std::string& sort) {
  if (sort == "restarts") return a.restarts.total > b.restarts.total;
  if (sort == "since") return a.since > b.since;
  if (sort == "state") return rank(a) < rank(b);
  return a.path < b.path;
}

std::string last_word(const NodeInfo& node) {
  if (node.pending_restart) return node.pending_restart->reason;
  if (node.status_text && !node.status_text->empty()) return *node.status_text;
  return node.last_exit ? exit_text(*node.last_exit) : "";
}

}  // namespace

std::vector<NodeInfo> arrange(std::vector<NodeInfo> nodes, const std::string& sort,
                              const std::string& filter) {
  if (!filter.empty()) {
    std::erase_if(nodes, [&](const NodeInfo& node) {
      return filter != to_string(node.phase) && filter != to_string(node.lifecycle) &&
             filter != to_string(node.intent);
    });
  }
  std::stable_sort(nodes.begin(), nodes.end(),
                   [&](const NodeInfo& a, const NodeInfo& b) { return comes_before(a, b, sort); });
  return nodes;
}

std::string render_list(const std::vector<NodeInfo>& nodes, ipc::Timestamp now,
                        const Terminal& terminal) {
  Table table({{"PATH"},
               {"KIND"},
               {"STATE"},
               {"SINCE", true},
               {"RESTARTS", true},
               {"PID", true},
               {"LAST"}});
  for (const NodeInfo& node : nodes) {
    table.add({{node.path},
               {to_string(node.kind)},
               {phase_word(node), ink_of(node)},
               {age(node.since, now)},
               {std::to_string(node.restarts.total)},
               {node.pid ? std::to_string(*node.pid) : ""},
               {last_word(node)}});
  }
  return table.render(terminal);
}

}  // namespace espalier::cli
