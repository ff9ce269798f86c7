#include "espalier/metrics/log_figures.hpp"

#include <array>

namespace espalier::metrics {

namespace {

constexpr std::array<Family, 2> all = {{
    {"espalier_log_lines_lost_total", "Lines that the log could not write.", Type::counter, ""},
    {"espalier_log_lines_left_out_total", "Lines that came too often to be logged.", Type::counter,
     ""},
}};

}  // namespace

void LogFigures::write(Writer& to) const {
  const auto counts = ask_();
  to.family(all[0]);
  to.sample({}, static_cast<double>(counts.lost));
  to.family(all[1]);
  to.sample({}, static_cast<double>(counts.left_out));
}

std::span<const Family> LogFigures::families() {
  return all;
}

}  // namespace espalier::metrics
