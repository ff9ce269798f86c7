#pragma once

/// Children that are CAF actors, commands from actors, and trees in an actor system of your own.

#include "espalier/supervisor.hpp"
#include "espalier/supervisor/actor/actor_factory.hpp"
#include "espalier/supervisor/runtime/actor_commands.hpp"
#include "espalier/supervisor/scheduler/scheduler.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
