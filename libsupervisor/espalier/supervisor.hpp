#pragma once

/// Everything a program needs to run a supervision tree, and no header of CAF, Boost, yaml-cpp or
/// spdlog. Children that are actors need `espalier/actor.hpp`, coroutines `espalier/async.hpp`,
/// functions in processes of their own `espalier/child_main.hpp`.

#include "espalier/supervisor/config/tree_config.hpp"
#include "espalier/supervisor/core/child_context.hpp"
#include "espalier/supervisor/core/child_factories.hpp"
#include "espalier/supervisor/core/child_state.hpp"
#include "espalier/supervisor/core/command.hpp"
#include "espalier/supervisor/core/decision.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/run_summary.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/observe/event_file.hpp"
#include "espalier/supervisor/observe/event_json.hpp"
#include "espalier/supervisor/observe/journal_file.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"
#include "espalier/supervisor/observe/journal_ring.hpp"
#include "espalier/supervisor/observe/log_sink.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"
