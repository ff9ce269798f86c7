#pragma once

#include "espalier/supervisor/config/internal/fields.hpp"

namespace espalier::supervisor::internal {

// Descriptions that policies, children and supervisors share.
[[nodiscard]] const Words<Strategy>& strategy_words();
void describe_limit(FieldVisitor& v, std::optional<RestartLimit>& limit);
void describe_budget(FieldVisitor& v, const FieldInfo& info, std::optional<RestartBudget>& budget);

}  // namespace espalier::supervisor::internal
