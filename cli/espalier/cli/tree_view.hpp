#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier::cli {

/// Where a node of the tree stands, as a person would say it.
enum class NodeState : std::uint8_t {
  waiting,  ///< Not started yet.
  starting,
  up,
  backing_off,  ///< Comes back at a known time.
  stopping,
  stopped,
  failed,
  quarantined,
  abandoned,  ///< Could not be ended.
};
[[nodiscard]] const char* to_string(NodeState x);

/// One node of the tree with what is known of it.
struct Node {
  std::string path = {};
  std::string branch = {};  ///< Drawing before the name, from the letters " |+`-".
  std::string name = {};
  bool explicit_ready = false;
  NodeState state = NodeState::waiting;
  std::uint64_t restarts = 0;
  supervisor::TimePoint since = {};  ///< Of the state.
  supervisor::TimePoint until = {};  ///< End of the back-off.
  std::string reason = {};           ///< Of the last failure.
  std::string status = {};           ///< What the child said of itself.
};

/// What to draw on.
struct Canvas {
  std::size_t width = 80;
  std::size_t height = 24;
  bool color = false;
  bool unicode = true;
  supervisor::TimePoint now = {};
};

/// Counts over all children (the root itself is none).
struct TreeCounts {
  std::size_t children = 0;
  std::size_t up = 0;
  std::size_t troubled = 0;  ///< backing off, failed, quarantined, abandoned
  std::uint64_t restarts = 0;
};

/// Folds the events of a tree into what a person wants to see of it, and draws that as lines.
///
/// Pure: no terminal, clock or thread; one caller at a time. Events of unknown paths only show in
/// the log, but for a child that was added. Folding costs O(1) an event, O(nodes) where a child was
/// added or removed; drawing O(nodes).
class TreeView {
 public:
  explicit TreeView(const supervisor::SupervisorSpec& root);

  void fold(const supervisor::Event& event);
  void add_output(const supervisor::OutputLine& line, std::chrono::system_clock::time_point at);
  void add_note(const std::string& text, std::chrono::system_clock::time_point at);

  /// At most `canvas.height` lines, each at most `canvas.width` columns wide, control characters
  /// of children made visible.
  [[nodiscard]] std::vector<std::string> render(const Canvas& canvas) const;

  [[nodiscard]] TreeCounts counts() const;
  /// "10/12 children up, 1 restarting (/etl/load)".
  [[nodiscard]] std::string status_line() const;
  [[nodiscard]] bool is_up() const { return up_; }  ///< The whole tree has come up.
  [[nodiscard]] bool is_stopping() const { return stopping_; }
  [[nodiscard]] const Node* find(const std::string& path) const;

 private:
  struct LogLine {
    std::chrono::system_clock::time_point at = {};
    supervisor::Severity severity = supervisor::Severity::info;
    std::string text = {};
  };

  void add_children(const supervisor::SupervisorSpec& spec, const std::string& path,
                    const std::string& indent);
  /// Children that came and went at run time. Those of pools are numbers and not shown by name.
  void follow_changes(const supervisor::Event& event);
  void index_nodes();
  void set_state(Node& node, NodeState state, supervisor::TimePoint at);
  void fold_node(Node& node, const supervisor::Event& event);
  void fold_root(const supervisor::Event& event);
  void push_log(LogLine line);
  [[nodiscard]] std::size_t name_width(const Canvas& canvas) const;
  void add_rows(std::vector<std::string>& lines, const Canvas& canvas) const;
  void add_log(std::vector<std::string>& lines, const Canvas& canvas) const;
  /// Which nodes to show where there is room for so many: those in trouble before those up.
  [[nodiscard]] std::vector<std::size_t> pick(std::size_t room) const;

  std::vector<Node> nodes_;  ///< Depth first; the root is the first.
  std::unordered_map<std::string, std::size_t> index_;
  std::deque<LogLine> log_;
  bool up_ = false;
  bool stopping_ = false;
  supervisor::TimePoint started_ = {};
};

/// "950ms", "12s", "3m05s", "2h10m", "4d03h".
[[nodiscard]] std::string short_time(supervisor::Duration d);

}  // namespace espalier::cli
