#include "espalier/cli/remote/lines.hpp"
#include "espalier/cli/remote/table.hpp"
#include "espalier/cli/remote/views.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/cli/top/top_view.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <ostream>
#include <string_view>

namespace espalier::cli {
namespace {

constexpr std::string_view help = R"(Moving
  arrows, j k        one line         PgUp PgDn   a page
  g G, Home End      first, last      Tab, 1-4    tree, detail, events, logs
  Enter              detail           Esc, q      back; in the tree: quit
  w                  why a child is as it is
Tree
  space, left right  fold, unfold     s           order: tree, restarts, latest change
  /                  filter by path or phase; Esc clears it
Logs
  a                  lines of all children, or of the selected one
Commands on the selected child; each asks first
  r  restart         S  stop          t  start
  p  pause           u  resume        x  quarantine
  c  reset counters  X  remove        + -  size of a pool
  R  let the tree follow its file again
)";

// The functions that draw for other verbs want streams, and write to none.
class Page {
 public:
  Page(const TopModel& model, const TopLook& look)
      : none_(nullptr), terminal_{.out = none_, .err = none_} {
    terminal_.width = std::max<std::size_t>(model.size().columns, 20);
    terminal_.color = look.color;
    terminal_.unicode = look.unicode;
  }
  [[nodiscard]] const Terminal& terminal() const { return terminal_; }

 private:
  std::ostream none_;
  Terminal terminal_;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string> why_lines(const TopModel& model, const Terminal& terminal) {
  const TopWhy& why = model.why();
  if (why.path != model.selected()) return {"asking"};
  if (why.result) return split(render_why(*why.result, terminal));
  return wrap(why.problem, terminal.width);
}

void append(std::vector<std::string>& lines, std::vector<std::string> more) {
  lines.insert(lines.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

void add_pipeline(const TopModel& model, const Terminal& terminal,
                  std::vector<std::string>& lines) {
  const TopPipeline& pipe = model.pipeline();
  if (pipe.path != model.selected()) return;
  lines.emplace_back();
  if (!pipe.info) {
    append(lines, wrap(pipe.problem.empty() ? "its pipeline does not run now" : pipe.problem,
                       terminal.width));
    return;
  }
  auto counts = pipeline_counts(*pipe.info);
  if (const auto rate = model.pipeline_rate()) {
    std::array<char, 32> text = {};
    std::snprintf(text.data(), text.size(), *rate < 10 ? ", %.1f/s" : ", %.0f/s", *rate);
    counts += text.data();
  }
  append(lines, wrap(counts, terminal.width));
  append(lines, split(render_stages(*pipe.info, terminal, {})));
}

std::vector<std::string> detail_lines(const TopModel& model, const Terminal& terminal) {
  const auto* const node = model.tree().find(model.selected());
  if (node == nullptr)
    return {cut(escape_controls(model.selected()) + " is not there any more", terminal.width)};
  auto lines = split(render_node(*node, model.now(), terminal));
  if (node->kind == supervisor::ChildKind::pipeline) add_pipeline(model, terminal, lines);
  const TopWhy& why = model.why();
  if (why.path != node->path) return lines;
  lines.emplace_back();
  const std::string sentence = why.result ? why.result->sentence : why.problem;
  for (const std::string& line : wrap(sentence, terminal.width))
    lines.push_back(paint(line, Ink::strong, terminal.color));
  return lines;
}

}  // namespace

std::vector<std::string> top_text(const TopModel& model, const TopLook& look) {
  const Page page(model, look);
  switch (model.view()) {
    case TopView::detail:
      return detail_lines(model, page.terminal());
    case TopView::why:
      return why_lines(model, page.terminal());
    case TopView::help:
      return split(help);
    case TopView::tree:
    case TopView::events:
    case TopView::logs:
      break;
  }
  return {};
}

std::vector<std::string> top_stream(const TopModel& model, const TopLook& look, std::size_t room,
                                    std::size_t& scroll_limit) {
  const Page page(model, look);
  const bool logs = model.view() == TopView::logs;
  const std::size_t count = logs ? model.logs().size() : model.events().size();
  scroll_limit = count > room ? count - room : 0;
  const std::size_t end = count - std::min(model.scroll(), scroll_limit);
  std::vector<std::string> lines;
  for (std::size_t i = end - std::min(end, room); i < end; ++i) {
    if (logs) {
      const auto& entry = model.logs()[i];
      lines.push_back(entry.gap ? gap_line(*entry.gap, "line", page.terminal())
                                : log_line(entry.line, page.terminal()));
    } else {
      const auto& entry = model.events()[i];
      lines.push_back(entry.is_gap ? gap_line(entry.body, "event", page.terminal())
                                   : event_line(entry.body, page.terminal()));
    }
  }
  if (lines.empty() && room > 0) lines.emplace_back(logs ? "no lines so far" : "no events so far");
  return lines;
}

}  // namespace espalier::cli
