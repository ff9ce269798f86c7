#include "espalier/metrics/journal_figures.hpp"

#include <array>

namespace espalier::metrics {

namespace {

constexpr std::array<Family, 3> all = {{
    {"espalier_journal_events_written_total", "Events written to the journal on disk.",
     Type::counter, ""},
    {"espalier_journal_events_lost_total", "Events that are missing in the journal on disk.",
     Type::counter, ""},
    {"espalier_journal_failing", "1 while the journal on disk cannot be written.", Type::gauge, ""},
}};

}  // namespace

void JournalFigures::write(Writer& to) const {
  const auto journal = journal_.lock();
  if (!journal) return;
  const auto stats = journal->stats();
  to.family(all[0]);
  to.sample({}, static_cast<double>(stats.written));
  to.family(all[1]);
  to.sample({}, static_cast<double>(stats.lost));
  to.family(all[2]);
  to.sample({}, stats.failing ? 1 : 0);
}

std::span<const Family> JournalFigures::families() {
  return all;
}

}  // namespace espalier::metrics
