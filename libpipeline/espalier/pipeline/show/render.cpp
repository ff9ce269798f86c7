#include "espalier/pipeline/show/render.hpp"

#include "espalier/pipeline/show/internal/parts.hpp"

#include <algorithm>
#include <string_view>

namespace espalier::pipeline {

using namespace internal;

namespace {

// Busy and all workers of the stages that have something to do.
std::string active_stages(const DashboardView& view) {
  std::string out;
  for (const StageStats& stage : view.snapshot.stages) {
    if (stage.queued + stage.retrying + stage.in_work == 0) continue;
    out += (out.empty() ? "" : "  ") + printable(stage.name) + " " + count(stage.busy) + "/" +
           count(stage.workers);
  }
  return out.empty() ? "no stage has anything to do" : out;
}

std::string repeat(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

Lines boxed(const std::string& title, const Lines& lines, const Canvas& canvas) {
  const std::string flat = canvas.unicode ? "\u2500" : "-";
  const std::string side = canvas.unicode ? "\u2502" : "|";
  const std::size_t inside = canvas.columns - 4;
  const std::string name = cut(title, inside - 2);
  Lines out;
  out.push_back((canvas.unicode ? "\u250c" : "+") + flat + " " + paint(name, Style::title, canvas) +
                " " + repeat(flat, inside - cells(name) - 1) + (canvas.unicode ? "\u2510" : "+"));
  for (const std::string& line : lines)
    out.push_back(side + " " + internal::left(line, inside) + " " + side);
  out.push_back((canvas.unicode ? "\u2514" : "+") + repeat(flat, inside + 2) +
                (canvas.unicode ? "\u2518" : "+"));
  return out;
}

}  // namespace

std::string progress_line(const DashboardView& view, const Canvas& canvas) {
  std::string line = cut(printable(view.snapshot.name), 20) + "  ";
  Canvas rest = canvas;
  rest.columns -= std::min(rest.columns, cells(line));
  line += overview(view, rest);
  constexpr std::size_t least = 12;
  const std::size_t used = cells(line) + 2;
  for (const std::string& status : statuses(view, 1)) {
    if (used + least <= canvas.columns) line += "  " + cut(status, canvas.columns - used);
  }
  return cut(line, canvas.columns);
}

Lines compact_picture(const DashboardView& view, const Canvas& canvas) {
  if (canvas.columns < 20 || canvas.rows < 5) return {progress_line(view, canvas)};
  Canvas inside = canvas;
  inside.columns -= 4;
  Lines lines = {overview(view, inside), active_stages(view), outcomes(view)};
  for (std::string& status : statuses(view, std::min<std::size_t>(3, canvas.rows - 5)))
    lines.push_back(std::move(status));
  return boxed(printable(view.snapshot.name), lines, canvas);
}

std::string plain_line(const DashboardView& view) {
  std::string line = printable(view.snapshot.name) + ": " + figures(view);
  for (const std::string& status : statuses(view, 1))
    line += "  " + status;
  return line;
}

std::string last_line(const DashboardView& view) {
  const Counts& counts = view.snapshot.counts;
  std::string line = printable(view.snapshot.name) + ": " + count(counts.succeeded) + " ok, " +
                     count(counts.failed) + " failed";
  if (counts.skipped > 0) line += ", " + count(counts.skipped) + " skipped";
  if (counts.cancelled > 0) line += ", " + count(counts.cancelled) + " cancelled";
  if (counts.rejected > 0) line += ", " + count(counts.rejected) + " rejected";
  return line + " in " + time_text(view.elapsed) + " (" + rate_text(view.rate) + ")";
}

Lines error_report(const ErrorSummary& summary) {
  constexpr std::size_t examples = 10;
  Lines lines;
  const std::string text = to_string(summary);
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(printable(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (!summary.items.empty()) lines.emplace_back("Last errors:");
  const std::size_t shown = std::min(examples, summary.items.size());
  for (std::size_t i = summary.items.size() - shown; i < summary.items.size(); ++i) {
    const FailedItem& item = summary.items[i];
    lines.push_back("  " + printable(item.item) + " at " + printable(item.stage) + ", attempt " +
                    count(item.attempts) + ": " + printable(item.error) + " (" +
                    printable(item.error_type) + ")");
  }
  return lines;
}

}  // namespace espalier::pipeline
