#pragma once

#include "espalier/pipeline/declare/pipeline_spec.hpp"
#include "espalier/supervisor/config/internal/value.hpp"

#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline::internal {

using supervisor::internal::Value;

/// The name of a field of an item, as in ConditionSpec.
[[nodiscard]] Value field_value(std::string& target);
/// Numbers, true and false are themselves, all else is text; kept as JSON text.
[[nodiscard]] Value equals_value(std::vector<std::string>& target);
[[nodiscard]] Value one_of_value(std::vector<std::string>& target);
[[nodiscard]] Value bound_value(std::optional<double>& target);
/// Bytes, with or without a unit.
[[nodiscard]] Value size_value(std::size_t& target);

}  // namespace espalier::pipeline::internal
