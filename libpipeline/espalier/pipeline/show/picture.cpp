#include "espalier/pipeline/show/internal/parts.hpp"

#include <algorithm>

namespace espalier::pipeline {

using namespace internal;

namespace {

Duration average(Duration sum, std::uint64_t n) {
  return n == 0 ? Duration{} : sum / static_cast<std::int64_t>(n);
}

std::string breaker_word(StageStats::Breaker breaker) {
  switch (breaker) {
    case StageStats::Breaker::open:
      return "open";
    case StageStats::Breaker::half_open:
      return "half open";
    case StageStats::Breaker::none:
    case StageStats::Breaker::closed:
      break;
  }
  return "";
}

Lines stage_table(const DashboardView& view, const Canvas& canvas) {
  Table table({{"STAGE", false},
               {"BUSY"},
               {"QUEUED"},
               {"RETRYING"},
               {"DONE"},
               {"FAILED"},
               {"WAITED"},
               {"WORKED"},
               {"BREAKER", false}});
  for (const StageStats& stage : view.snapshot.stages) {
    table.add({printable(stage.name), count(stage.busy) + "/" + count(stage.workers),
               count(stage.queued), count(stage.retrying), count(stage.completed),
               count(stage.failed), short_time(average(stage.queue_time, stage.attempts)),
               short_time(average(stage.service_time, stage.attempts)),
               breaker_word(stage.breaker)});
  }
  return table.empty() ? Lines{} : table.lines(canvas.columns);
}

// Busy ones first: there may be more workers than lines.
Lines worker_table(const DashboardView& view, const Canvas& canvas) {
  Table table({{"WORKER", false},
               {"DONE"},
               {"FAILED"},
               {"AVERAGE"},
               {"FOR"},
               {"ITEM", false, 20},
               {"DOING", false, 200}});
  for (const bool busy : {true, false}) {
    for (const WorkerState& worker : view.snapshot.workers) {
      if (worker.busy != busy) continue;
      const Duration each = average(worker.service_time, worker.completed + worker.failed);
      table.add({printable(worker.name), count(worker.completed), count(worker.failed),
                 short_time(each), busy ? time_text(view.snapshot.at - worker.since) : "",
                 busy ? printable(worker.item) : "", busy ? printable(worker.status) : "idle"});
    }
  }
  return table.empty() ? Lines{} : table.lines(canvas.columns);
}

Lines item_table(const DashboardView& view, const Canvas& canvas) {
  Table table({{"ITEM", false},
               {"STATUS", false},
               {"STAGE", false},
               {"WORKER", false},
               {"SINCE"},
               {"ERROR", false, 200}});
  for (const StatusEvent& item : view.items) {
    table.add({printable(item.item), std::string(to_string(item.status)), printable(item.stage),
               printable(item.worker), time_text(view.snapshot.at - item.at),
               printable(item.error)});
  }
  return table.empty() ? Lines{} : table.lines(canvas.columns);
}

Lines error_table(const DashboardView& view, const Canvas& canvas) {
  if (view.errors.total_failed == 0) return {};
  Lines lines = {"ERRORS"};
  for (const auto& [type, n] : by_count(view.errors.by_type))
    lines.push_back("  " + printable(type) + ": " + count(n));
  for (auto item = view.errors.items.rbegin(); item != view.errors.items.rend(); ++item) {
    lines.push_back("  " + printable(item->item) + " at " + printable(item->stage) + ": " +
                    printable(item->error));
  }
  for (std::string& line : lines)
    line = cut(line, canvas.columns);
  return lines;
}

/// A part of a picture that may be shortened to its heading and one line.
struct Section {
  Lines lines = {};
  Style style = Style::plain;
  std::size_t shown = 0;
};

// Takes lines from the longest section until all of it fits; what does not fit with a line each
// goes from the end.
void fit_sections(std::vector<Section>& sections, std::size_t rows) {
  const auto height = [&] {
    std::size_t sum = 0;
    for (const Section& section : sections)
      sum += section.shown + 1;
    return sum;
  };
  for (Section& section : sections)
    section.shown = section.lines.size();
  while (!sections.empty() && height() > rows) {
    const auto longest =
        std::max_element(sections.begin(), sections.end(),
                         [](const auto& a, const auto& b) { return a.shown < b.shown; });
    if (longest->shown > 3) {
      --longest->shown;
      continue;
    }
    sections.pop_back();
    for (Section& section : sections)
      section.shown = section.lines.size();
  }
}

Lines with_sections(Lines top, std::vector<Section> sections, const Canvas& canvas) {
  sections.erase(std::remove_if(sections.begin(), sections.end(),
                                [](const Section& section) { return section.lines.empty(); }),
                 sections.end());
  fit_sections(sections, canvas.rows - std::min(canvas.rows, top.size()));
  for (const Section& section : sections) {
    top.emplace_back();
    top.push_back(paint(section.lines[0], Style::title, canvas));
    const bool all = section.shown == section.lines.size();
    for (std::size_t i = 1; i < section.shown - (all ? 0 : 1); ++i)
      top.push_back(paint(section.lines[i], section.style, canvas));
    if (!all) {
      const std::size_t hidden = section.lines.size() - section.shown + 1;
      top.push_back(cut("... and " + count(hidden) + " more", canvas.columns));
    }
  }
  if (top.size() > canvas.rows) top.resize(canvas.rows);
  return top;
}

Lines heading(const DashboardView& view, const Canvas& canvas) {
  const std::string name = printable(view.snapshot.name) + "  " + time_text(view.elapsed);
  return {paint(cut(name, canvas.columns), Style::title, canvas),
          cut(overview(view, canvas), canvas.columns), cut(outcomes(view), canvas.columns)};
}

}  // namespace

Lines detailed_picture(const DashboardView& view, const Canvas& canvas) {
  return with_sections(heading(view, canvas),
                       {{stage_table(view, canvas)},
                        {worker_table(view, canvas)},
                        {error_table(view, canvas), Style::bad}},
                       canvas);
}

Lines full_picture(const DashboardView& view, const Canvas& canvas) {
  return with_sections(heading(view, canvas),
                       {{stage_table(view, canvas)},
                        {worker_table(view, canvas)},
                        {item_table(view, canvas)},
                        {error_table(view, canvas), Style::bad}},
                       canvas);
}

}  // namespace espalier::pipeline
