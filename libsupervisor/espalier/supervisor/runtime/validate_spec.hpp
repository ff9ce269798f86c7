#pragma once

#include "espalier/supervisor/core/child_factories.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <string>

namespace espalier::supervisor {

/// What is wrong with a tree before anything of it starts, with the path of the child and what to
/// do; empty: nothing.
[[nodiscard]] std::string problem_of(const SupervisorSpec& spec, const ChildFactories& factories);

}  // namespace espalier::supervisor
