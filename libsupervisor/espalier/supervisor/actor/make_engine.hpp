#pragma once

#include "espalier/supervisor/actor/supervisor_actor.hpp"
#include "espalier/supervisor/core/engine.hpp"

#include <memory>

namespace espalier::supervisor {

/// The engine for what `start` describes: a pool where it has one, else a supervisor.
[[nodiscard]] std::unique_ptr<Engine> make_engine(const SupervisorStart& start,
                                                  EngineContext context);

/// What a supervisor shows of itself, by its engine.
[[nodiscard]] SupervisorInfo info_of(const Engine& engine);

}  // namespace espalier::supervisor
