#pragma once

#include "espalier/pipeline/show/dashboard.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// Where a picture goes. Lines take at most `columns` columns, pictures at most `rows` lines; both
/// may be small.
struct Canvas {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool color = false;
  bool unicode = false;
};

/// The pictures of the displays: pure functions. Names, ids, status and error texts are made
/// printable. "Done" is whatever has ended, of `total`; without a total, counts and rate only.
[[nodiscard]] std::string progress_line(const DashboardView& view, const Canvas& canvas);
[[nodiscard]] std::vector<std::string> compact_picture(const DashboardView& view,
                                                       const Canvas& canvas);
[[nodiscard]] std::vector<std::string> detailed_picture(const DashboardView& view,
                                                        const Canvas& canvas);
[[nodiscard]] std::vector<std::string> full_picture(const DashboardView& view,
                                                    const Canvas& canvas);

/// How it stands in one line, of any length, for logs.
[[nodiscard]] std::string plain_line(const DashboardView& view);
/// How it went, in one line.
[[nodiscard]] std::string last_line(const DashboardView& view);
/// What failed, by type and by stage, and the last errors.
[[nodiscard]] std::vector<std::string> error_report(const ErrorSummary& summary);

/// One JSON object without a newline. `word` is start, update or finish.
[[nodiscard]] std::string json_line(const DashboardView& view, const std::string& word,
                                    WallTime now);

}  // namespace espalier::pipeline
