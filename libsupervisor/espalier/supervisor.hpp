#pragma once

/// Everything a program needs to run a supervision tree. Factories of actors also need CAF's
/// `caf/event_based_actor.hpp`.

#include "espalier/supervisor/actor/child_factories.hpp"
#include "espalier/supervisor/config/tree_config.hpp"
#include "espalier/supervisor/core/child_context.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"
