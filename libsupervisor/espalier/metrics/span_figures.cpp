#include "espalier/metrics/span_figures.hpp"

#include <array>

namespace espalier::metrics {

namespace {

constexpr std::array<Family, 2> all = {{
    {"espalier_spans_total", "Spans, by where they were to go and what became of them.",
     Type::counter, "to,outcome"},
    {"espalier_spans_waiting", "Spans that wait to be written or sent.", Type::gauge, "to"},
}};

}  // namespace

void SpanFigures::write(Writer& to) const {
  const auto exporter = exporter_.lock();
  if (!exporter) return;
  const auto counts = exporter->counts();
  const auto each = [&](const auto& tell) {
    tell("file", counts.file);
    tell("collector", counts.collector);
  };
  to.family(all[0]);
  each([&](const char* where, const supervisor::SpanOutlet::Counts& of) {
    to.sample({{"to", where}, {"outcome", "brought"}}, static_cast<double>(of.brought));
    to.sample({{"to", where}, {"outcome", "lost"}}, static_cast<double>(of.lost));
  });
  to.family(all[1]);
  each([&](const char* where, const supervisor::SpanOutlet::Counts& of) {
    to.sample({{"to", where}}, static_cast<double>(of.waiting));
  });
}

std::span<const Family> SpanFigures::families() {
  return all;
}

}  // namespace espalier::metrics
