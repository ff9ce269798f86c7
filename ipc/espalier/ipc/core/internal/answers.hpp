#pragma once

#include "espalier/ipc/core/internal/auditor.hpp"
#include "espalier/ipc/core/target.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/supervisor/config/dashboard_spec.hpp"

#include <string>
#include <vector>

namespace espalier::ipc::internal {

/// Answers that are made on the spot from what the target says. Results are the JSON text of
/// `result`.
using Text = expected<std::string, WireError>;

[[nodiscard]] std::string hello_text(const TargetInfo& info,
                                     const supervisor::DashboardSecurity& rules,
                                     std::vector<MethodClass> allowed);
[[nodiscard]] std::string ping_text(Timestamp wall);
[[nodiscard]] std::string health_text(Target& target);
[[nodiscard]] Text why_text(Target& target, const PathParams& params);
[[nodiscard]] std::string pipelines_text(Target& target, const PipelinesParams& params);
[[nodiscard]] Text audit_text(Auditor& audit, const AuditQueryParams& params);

}  // namespace espalier::ipc::internal
