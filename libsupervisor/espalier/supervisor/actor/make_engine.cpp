#include "espalier/supervisor/actor/make_engine.hpp"

#include "espalier/supervisor/core/pool_engine.hpp"

#include <utility>

namespace espalier::supervisor {

std::unique_ptr<Engine> make_engine(const SupervisorStart& start, EngineContext context) {
  if (start.pool) return std::make_unique<PoolEngine>(*start.pool, std::move(context));
  return std::make_unique<SupervisorEngine>(*start.spec, std::move(context));
}

SupervisorInfo info_of(const Engine& engine) {
  if (const auto* supervisor = dynamic_cast<const SupervisorEngine*>(&engine)) {
    const auto& spec = supervisor->spec();
    return {ChildKind::supervisor, spec.strategy, spec.config_version};
  }
  return {.kind = ChildKind::pool};
}

}  // namespace espalier::supervisor
