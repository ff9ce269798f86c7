#pragma once

#include "espalier/rehearsal/report.hpp"

#include <cstddef>
#include <string>

namespace espalier::rehearsal {

/// "3 d 04:12:09", counted from the start.
[[nodiscard]] std::string moment(supervisor::Duration at);
/// "99.98 %"; not 100 where anything was missed.
[[nodiscard]] std::string percent(double share);

/// For people, `width` columns wide at most where that can be kept: what happened, a table of the
/// children, the worst moments, escalations, and the timeline.
[[nodiscard]] std::string report_text(const Report& report, std::size_t width);
/// The timeline alone, a line a child: '.' served, '+' down for a tenth or less of the column's
/// time, 'x' for more, '#' for more than half, 'Q' quarantined, ' ' not wanted.
[[nodiscard]] std::string timeline_text(const Report& report, std::size_t width);
/// The same as a picture that needs nothing but a browser.
[[nodiscard]] std::string timeline_svg(const Report& report, const std::string& title);
/// One JSON object; times in milliseconds.
[[nodiscard]] std::string report_json(const Report& report);
/// Several reports of the same time side by side: restarts, failures, time down, escalations.
struct Column {
  std::string title = {};
  const Report* report = nullptr;
};
[[nodiscard]] std::string comparison_text(const Column& before, const Column& after);

}  // namespace espalier::rehearsal
