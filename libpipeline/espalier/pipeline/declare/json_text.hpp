#pragma once

#include "espalier/pipeline/declare/pipeline_spec.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <string>
#include <string_view>

namespace espalier::pipeline {

/// Nested deeper than this, text is refused: it would be walked by recursion later.
inline constexpr int json_depth_limit = 512;

/// One JSON value and nothing else but space around it; otherwise what is wrong, with the column.
[[nodiscard]] expected<Json, std::string> parse_json(std::string_view text);
/// The field of that name, as ConditionSpec::field writes it; null: there is none.
[[nodiscard]] const Json* field_in(const Json& item, const std::string& field);
/// On one line. Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string to_line(const Json& value);

}  // namespace espalier::pipeline
