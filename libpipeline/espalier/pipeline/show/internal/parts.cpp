#include "espalier/pipeline/show/internal/parts.hpp"

#include <algorithm>

namespace espalier::pipeline::internal {
namespace {

double share_of(const DashboardView& view) {
  if (!view.total) return 0;
  if (*view.total == 0) return 1;
  return std::min(1.0, static_cast<double>(view.done()) / static_cast<double>(*view.total));
}

std::string bar(double share, std::size_t width, bool unicode) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string out = "[";
  for (std::size_t i = 0; i < width; ++i) {
    if (unicode) {
      out += i < full ? "\u2588" : "\u2591";
    } else {
      out += i < full ? '#' : '-';
    }
  }
  return out + "]";
}

// Rounded down: 100 % is all of it.
std::string percent(double share) {
  return count(static_cast<std::uint64_t>(share * 100)) + " %";
}

}  // namespace

std::string paint(const std::string& text, Style style, const Canvas& canvas) {
  if (!canvas.color || style == Style::plain || text.empty()) return text;
  return (style == Style::bad ? "\x1b[31m" : "\x1b[1m") + text + "\x1b[0m";
}

std::string count(std::uint64_t n) {
  return std::to_string(n);
}

std::string figures(const DashboardView& view) {
  std::string out;
  if (view.total) {
    out = percent(share_of(view)) + "  " + count(view.done()) + "/" + count(*view.total);
  } else {
    out = count(view.done()) + " done";
  }
  out += "  " + rate_text(view.rate);
  const std::uint64_t failed = view.snapshot.counts.failed;
  if (failed > 0) out += "  " + count(failed) + " failed";
  if (view.eta) out += "  ETA " + time_text(*view.eta);
  return out;
}

std::string overview(const DashboardView& view, const Canvas& canvas) {
  const std::string text = figures(view);
  const std::size_t used = cells(text) + 4;
  if (!view.total || canvas.columns < used + 5) return text;
  return bar(share_of(view), std::min<std::size_t>(30, canvas.columns - used), canvas.unicode) +
         "  " + text;
}

std::string outcomes(const DashboardView& view) {
  const Counts& counts = view.snapshot.counts;
  std::string out = "ok " + count(counts.succeeded) + "  failed " + count(counts.failed) +
                    "  skipped " + count(counts.skipped) + "  cancelled " +
                    count(counts.cancelled) + "  in flight " + count(counts.in_flight());
  if (view.total) out += "  remaining " + count(*view.total - std::min(*view.total, view.done()));
  if (counts.rejected > 0) out += "  rejected " + count(counts.rejected);
  return out;
}

Lines statuses(const DashboardView& view, std::size_t most) {
  std::vector<const WorkerState*> talking;
  for (const WorkerState& worker : view.snapshot.workers) {
    if (worker.busy && !worker.status.empty()) talking.push_back(&worker);
  }
  std::stable_sort(talking.begin(), talking.end(),
                   [](const auto* a, const auto* b) { return a->since > b->since; });
  Lines lines;
  for (std::size_t i = 0; i < std::min(most, talking.size()); ++i)
    lines.push_back(printable(talking[i]->name) + ": " + printable(talking[i]->status));
  return lines;
}

}  // namespace espalier::pipeline::internal
