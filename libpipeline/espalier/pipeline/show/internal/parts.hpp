#pragma once

#include "espalier/pipeline/show/internal/text.hpp"
#include "espalier/pipeline/show/render.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier::pipeline::internal {

/// What several pictures have.
using Lines = std::vector<std::string>;
enum class Style : std::uint8_t { plain, title, bad };

[[nodiscard]] std::string paint(const std::string& text, Style style, const Canvas& canvas);
[[nodiscard]] std::string count(std::uint64_t n);
/// "33 %  100/300  45.2/s  3 failed  ETA 4 s"
[[nodiscard]] std::string figures(const DashboardView& view);
/// The same behind a bar, if there is a total and room.
[[nodiscard]] std::string overview(const DashboardView& view, const Canvas& canvas);
/// "ok 97  failed 3  skipped 0 ..."
[[nodiscard]] std::string outcomes(const DashboardView& view);
/// What workers say they do; those that began last come first.
[[nodiscard]] Lines statuses(const DashboardView& view, std::size_t most);

}  // namespace espalier::pipeline::internal
