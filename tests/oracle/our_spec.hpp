#pragma once

#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "oracle/scenario.hpp"

namespace espalier::oracle {

/// The same in our words, with what differs on purpose switched off where an option does it.
[[nodiscard]] supervisor::SupervisorSpec spec_of(const SupervisorDecl& decl);
[[nodiscard]] supervisor::PoolSpec pool_of(const SupervisorDecl& decl);
[[nodiscard]] supervisor::ChildSpec spec_of(const ChildDecl& decl);
[[nodiscard]] supervisor::ExitRecord exit_of(Reason reason);

}  // namespace espalier::oracle
