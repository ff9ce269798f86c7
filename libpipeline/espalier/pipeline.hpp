#pragma once

/// Everything a program needs to run items through a pipeline of plain functions and watch them,
/// and no header of Boost, SQLite, yaml-cpp or CAF. Tasks that are coroutines need
/// `espalier/pipeline_async.hpp`.

#include "espalier/pipeline/build/builder.hpp"
#include "espalier/pipeline/build/executor.hpp"
#include "espalier/pipeline/build/pipeline.hpp"
#include "espalier/pipeline/build/quick.hpp"
#include "espalier/pipeline/show/display.hpp"
#include "espalier/pipeline/show/show.hpp"
#include "espalier/pipeline/track/status_tracker.hpp"
