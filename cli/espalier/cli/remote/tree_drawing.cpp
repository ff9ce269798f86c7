#include "espalier/cli/remote/views.hpp"
#include "espalier/cli/remote/words.hpp"
#include "espalier/cli/text_cells.hpp"

#include <algorithm>
#include <map>

namespace espalier::cli {
namespace {

using ipc::NodeInfo;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (path == "/" || slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const NodeInfo& node, const std::string& top) {
  if (node.path == top) return node.path;
  return node.path.substr(node.path.rfind('/') + 1);
}

constexpr std::size_t space_between = 2;
constexpr std::size_t least_name = 8;
constexpr std::size_t least_note = 4;

struct Branches {
  const char* branch;
  const char* last;
  const char* line;
  const char* blank;
};
constexpr Branches drawn = {"├─ ", "└─ ", "│  ", "   "};
constexpr Branches typed = {"|- ", "`- ", "|  ", "   "};

// What is worth a place beside the phase, the most telling first.
std::string remark(const NodeInfo& node, ipc::Timestamp now) {
  std::string out = age(node.since, now);
  const auto add = [&](const std::string& text) { out += ", " + text; };
  if (node.pid) add("pid " + std::to_string(*node.pid));
  if (node.pending_restart) {
    add(node.pending_restart->at > now ? "restart in " + short_span(node.pending_restart->at - now)
                                       : "restart: " + node.pending_restart->reason);
  }
  if (node.restarts.total > 0) add(count_of(node.restarts.total, "restart"));
  if (node.restarts.used > 0 && node.restarts.limit > 0)
    add(std::to_string(node.restarts.used) + " of " + std::to_string(node.restarts.limit) +
        " used");
  if (node.last_exit && node.restarts.total > 0) add("last: " + exit_text(*node.last_exit));
  if (node.status_text && !node.status_text->empty()) add("\"" + *node.status_text + "\"");
  return out;
}

struct Line {
  std::string stem = {};
  const NodeInfo* node = nullptr;
};

class Drawing {
 public:
  Drawing(const ipc::Snapshot& snapshot, const Branches& branches) : branches_(branches) {
    for (const NodeInfo& node : snapshot.nodes)
      children_[parent_of(node.path)].push_back(&node);
    if (!snapshot.nodes.empty()) walk(snapshot.nodes.front(), "", "");
  }
  [[nodiscard]] const std::vector<Line>& lines() const { return lines_; }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which the target bounds.
  void walk(const NodeInfo& node, const std::string& stem, const std::string& below) {
    lines_.push_back({stem, &node});
    const auto found = children_.find(node.path);
    if (found == children_.end()) return;
    for (const NodeInfo* child : found->second) {
      if (child == &node) continue;
      const bool last = child == found->second.back();
      walk(*child, below + (last ? branches_.last : branches_.branch),
           below + (last ? branches_.blank : branches_.line));
    }
  }

  Branches branches_;
  std::map<std::string, std::vector<const NodeInfo*>> children_;
  std::vector<Line> lines_;
};

}  // namespace

std::string render_tree(const ipc::Snapshot& snapshot, const Terminal& terminal) {
  if (snapshot.nodes.empty()) return "";
  const std::string top = snapshot.nodes.front().path;
  const Drawing drawing(snapshot, terminal.unicode ? drawn : typed);
  std::size_t names = 0;
  std::size_t phases = 0;
  for (const Line& line : drawing.lines()) {
    names = std::max(names,
                     cell_width(line.stem) + cell_width(escape_controls(name_of(*line.node, top))));
    phases = std::max(phases, phase_word(*line.node).size());
  }
  const bool is_bounded = terminal.width != Terminal::unlimited;
  if (is_bounded) {
    phases = std::min(phases, terminal.width / 2);
    names = std::min({names, std::max(terminal.width / 2, least_name),
                      terminal.width - std::min(terminal.width, phases + space_between)});
  }
  const std::size_t used = names + phases + 2 * space_between;
  const std::size_t left =
      is_bounded ? terminal.width - std::min(terminal.width, used) : terminal.width;
  const std::string gap(space_between, ' ');
  std::string out;
  for (const Line& line : drawing.lines()) {
    out += fit(line.stem + escape_controls(name_of(*line.node, top)), names) + gap +
           paint(fit(phase_word(*line.node), phases), ink_of(*line.node), terminal.color);
    if (left >= least_note)
      out += gap + cut(escape_controls(remark(*line.node, snapshot.generated_at)), left);
    out += "\n";
  }
  return out;
}

}  // namespace espalier::cli
