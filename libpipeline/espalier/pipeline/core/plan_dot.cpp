#include "espalier/pipeline/core/plan.hpp"

#include <string>

namespace espalier::pipeline {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

const char* shape(NodeKind kind) {
  switch (kind) {
    case NodeKind::task:
      return "box";
    case NodeKind::batch:
      return "box3d";
    case NodeKind::window:
      return "parallelogram";
  }
  return "box";
}

}  // namespace

std::string to_dot(const Plan& plan) {
  std::string dot = "digraph " + quoted(plan.options.name) + " {\n  rankdir=LR;\n";
  for (NodeId id = 0; id < plan.nodes.size(); ++id) {
    const auto& node = plan.nodes[id];
    const auto workers = node.options.workers;
    const auto label =
        node.name + "\n" + std::to_string(workers) + (workers == 1 ? " worker" : " workers");
    dot += "  n" + std::to_string(id) + " [shape=" + shape(node.kind) + ", label=" + quoted(label) +
           "];\n";
  }
  dot += "  output [shape=circle, label=\"\"];\n";
  for (NodeId id = 0; id < plan.nodes.size(); ++id) {
    const auto& next = plan.nodes[id].next;
    for (std::size_t port = 0; port < next.size(); ++port) {
      dot += "  n" + std::to_string(id) + " -> " +
             (next[port] == output_node ? "output" : "n" + std::to_string(next[port]));
      if (next.size() > 1) dot += " [label=" + quoted(std::to_string(port)) + "]";
      dot += ";\n";
    }
  }
  return dot + "}\n";
}

}  // namespace espalier::pipeline
