#include "espalier/cli/text_cells.hpp"
#include "espalier/cli/tree_view.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

constexpr std::size_t state_width = 12;
constexpr std::size_t restarts_width = 5;
constexpr std::size_t uptime_width = 7;
constexpr std::size_t least_log_lines = 4;
constexpr std::chrono::seconds reason_stays_visible{8};

const char* const bold = "1";
const char* const dim = "2";
const char* const red = "31";
const char* const green = "32";
const char* const yellow = "33";

std::string paint(const Canvas& canvas, const char* code, const std::string& text) {
  if (!canvas.color) return text;
  return std::string("\x1b[") + code + "m" + text + "\x1b[0m";
}

const char* color_of(NodeState state) {
  switch (state) {
    case NodeState::up:
      return green;
    case NodeState::failed:
    case NodeState::quarantined:
    case NodeState::abandoned:
      return red;
    case NodeState::starting:
    case NodeState::backing_off:
    case NodeState::stopping:
      return yellow;
    case NodeState::waiting:
    case NodeState::stopped:
      return dim;
  }
  return dim;
}

std::string draw_branch(const std::string& branch, bool unicode) {
  std::string out;
  for (const char c : branch) {
    switch (c) {
      case '|':
        out += unicode ? "│" : "|";
        break;
      case '+':
        out += unicode ? "├" : "|";
        break;
      case '`':
        out += unicode ? "└" : "`";
        break;
      case '-':
        out += unicode ? "─" : "-";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string state_text(const Node& node, sv::TimePoint now) {
  if (node.state != NodeState::backing_off || node.until <= now) return to_string(node.state);
  const sv::Duration left = node.until - now;
  if (left >= std::chrono::seconds{10}) return "retry " + short_time(left);
  std::array<char, 32> text = {};
  std::snprintf(text.data(), text.size(), "retry %.1fs",
                std::chrono::duration<double>(left).count());
  return text.data();
}

/// A running child shows what it says of itself, but not before its last failure was seen.
std::string note_of(const Node& node, sv::TimePoint now) {
  const bool fresh = now - node.since < reason_stays_visible;
  if (node.state == NodeState::up && !node.status.empty() && (node.reason.empty() || !fresh)) {
    return node.status;
  }
  return node.reason;
}

/// Puts cells beside each other as long as the canvas has room for them.
class RowWriter {
 public:
  explicit RowWriter(const Canvas& canvas) : canvas_(canvas), left_(canvas.width) {}
  void cell(const std::string& text, std::size_t width, const char* code = nullptr) {
    width = std::min(width, left_);
    left_ -= width;
    const std::string filled = fit(text, width);
    line_ += code == nullptr ? filled : paint(canvas_, code, filled);
    if (left_ == 0) return;
    --left_;
    line_ += ' ';
  }
  [[nodiscard]] std::size_t left() const { return left_; }
  [[nodiscard]] const std::string& line() const { return line_; }

 private:
  const Canvas& canvas_;
  std::size_t left_;
  std::string line_;
};

std::string row_line(const Node& node, const Canvas& canvas, std::size_t name_width) {
  const bool up = node.state == NodeState::up;
  RowWriter row(canvas);
  row.cell(draw_branch(node.branch, canvas.unicode) + node.name, name_width);
  row.cell(state_text(node, canvas.now), state_width, color_of(node.state));
  row.cell(node.restarts == 0 ? "" : std::to_string(node.restarts), restarts_width);
  row.cell(up ? short_time(canvas.now - node.since) : "", uptime_width);
  const std::string note = note_of(node, canvas.now);
  const std::string shown = cut(escape_controls(note), row.left());
  return row.line() + (note == node.status ? shown : paint(canvas, dim, shown));
}

std::string clock_text(std::chrono::system_clock::time_point at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm local = {};
  localtime_r(&seconds, &local);
  std::array<char, 16> text = {};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return text.data();
}

}  // namespace

std::string short_time(sv::Duration d) {
  using namespace std::chrono;
  if (d < sv::Duration::zero()) d = sv::Duration::zero();
  const auto part = [](long long a, const char* x, long long b, const char* y) {
    std::array<char, 48> text = {};
    std::snprintf(text.data(), text.size(), "%lld%s%02lld%s", a, x, b, y);
    return std::string(text.data());
  };
  const long long s = duration_cast<seconds>(d).count();
  if (s == 0 && d != sv::Duration::zero()) {
    return std::to_string(duration_cast<milliseconds>(d).count()) + "ms";
  }
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return part(s / 60, "m", s % 60, "s");
  if (s < 86400) return part(s / 3600, "h", s / 60 % 60, "m");
  return part(s / 86400, "d", s / 3600 % 24, "h");
}

std::vector<std::size_t> TreeView::pick(std::size_t room) const {
  std::vector<std::size_t> chosen;
  const auto take = [&](bool calm) {
    for (std::size_t i = 1; i < nodes_.size() && chosen.size() < room; ++i) {
      if ((nodes_[i].state == NodeState::up) == calm) chosen.push_back(i);
    }
  };
  if (room > 0) chosen.push_back(0);
  take(false);
  take(true);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::size_t TreeView::name_width(const Canvas& canvas) const {
  std::size_t width = 12;
  for (const Node& node : nodes_) {
    width = std::max(width, node.branch.size() + cell_width(node.name));
  }
  return std::min({width, std::size_t{32}, std::max<std::size_t>(canvas.width / 3, 12)});
}

void TreeView::add_rows(std::vector<std::string>& lines, const Canvas& canvas) const {
  const std::size_t names = name_width(canvas);
  const std::string titles = fit("CHILD", names) + " " + fit("STATE", state_width) + " " +
                             fit("RST", restarts_width) + " " + fit("UP FOR", uptime_width) +
                             " LAST REASON OR STATUS";
  lines.push_back(paint(canvas, dim, cut(titles, canvas.width)));

  const std::size_t fixed = 4 + least_log_lines;  // Headline, titles, rule, help.
  const std::size_t room = canvas.height > fixed ? canvas.height - fixed : 1;
  const std::vector<std::size_t> shown = pick(std::min(room, nodes_.size()));
  for (const std::size_t i : shown)
    lines.push_back(row_line(nodes_[i], canvas, names));

  const std::size_t hidden = nodes_.size() - shown.size();
  std::string rule =
      hidden == 0 ? ""
                  : "-- " + std::to_string(hidden) + " more nodes; those not up are shown first ";
  rule = cut(rule, canvas.width);
  rule.append(canvas.width - cell_width(rule), '-');
  lines.push_back(paint(canvas, dim, rule));
}

void TreeView::add_log(std::vector<std::string>& lines, const Canvas& canvas) const {
  const std::size_t below = lines.size() + 1 < canvas.height ? canvas.height - lines.size() - 1 : 0;
  for (std::size_t i = log_.size() - std::min(below, log_.size()); i < log_.size(); ++i) {
    const LogLine& line = log_[i];
    const std::string text = cut(clock_text(line.at) + " " + line.text, canvas.width);
    switch (line.severity) {
      case sv::Severity::error:
        lines.push_back(paint(canvas, red, text));
        break;
      case sv::Severity::warning:
        lines.push_back(paint(canvas, yellow, text));
        break;
      default:
        lines.push_back(text);
    }
  }
}

std::vector<std::string> TreeView::render(const Canvas& canvas) const {
  if (canvas.height == 0) return {};
  const std::uint64_t restarts = counts().restarts;
  const std::string head = "espalier  " + status_line() + ", " + std::to_string(restarts) +
                           (restarts == 1 ? " restart" : " restarts");
  std::vector<std::string> lines = {paint(canvas, bold, cut(head, canvas.width))};
  add_rows(lines, canvas);
  add_log(lines, canvas);
  lines.resize(canvas.height - 1);  // The last line tells how to leave, always.
  const char* help = stopping_ ? "Stopping in order. Ctrl-C again: end everything now"
                               : "Ctrl-C: stop in order, twice: end everything now";
  lines.push_back(paint(canvas, dim, cut(help, canvas.width)));
  return lines;
}

}  // namespace espalier::cli
