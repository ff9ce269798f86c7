#include "simulation/watched_engine.hpp"

#include "espalier/supervisor/actor/make_engine.hpp"
#include "espalier/supervisor/core/pool_engine.hpp"

#include <utility>

namespace espalier::simulation {

namespace {

bool changes_children(const Input& what) {
  const auto* order = std::get_if<input::Order>(&what);
  if (!order) return false;
  const auto kind = order->command->kind;
  return kind == CommandKind::add_child || kind == CommandKind::remove_child ||
         kind == CommandKind::reload || kind == CommandKind::set_policy;
}

}  // namespace

WatchedEngine::WatchedEngine(const SupervisorSpec& spec, EngineContext context, World& world)
    : path_(context.path),
      world_(world),
      engine_(spec, std::move(context)),
      promises_(spec, path_, true) {
  world_.engines().push_back(this);
}

WatchedEngine::~WatchedEngine() {
  std::erase(world_.engines(), this);
}

std::vector<Effect> WatchedEngine::handle(const Input& what, TimePoint now) {
  auto effects = engine_.handle(what, now);
  watches_ = watches_ && !changes_children(what);
  if (watches_) promises_.see(what, effects, now);
  report();
  return effects;
}

void WatchedEngine::check_settled() {
  if (watches_) promises_.check_settled();
  report();
}

void WatchedEngine::report() {
  for (const auto& broken = promises_.broken(); told_ < broken.size(); ++told_)
    world_.breach(path_ + ": " + broken[told_]);
}

}  // namespace espalier::simulation

// In place of the library's own, at link time.
namespace espalier::supervisor {

std::unique_ptr<Engine> make_engine(const SupervisorStart& start, EngineContext context) {
  if (start.pool) return std::make_unique<PoolEngine>(*start.pool, std::move(context));
  return std::make_unique<simulation::WatchedEngine>(*start.spec, std::move(context),
                                                     simulation::world_of(*start.services));
}

SupervisorInfo info_of(const Engine& engine) {
  if (const auto* watched = dynamic_cast<const simulation::WatchedEngine*>(&engine)) {
    const auto& spec = watched->spec();
    return {ChildKind::supervisor, spec.strategy, spec.config_version};
  }
  return {.kind = ChildKind::pool};
}

}  // namespace espalier::supervisor
