#include "espalier/supervisor/actor/actor_factory.hpp"

#include <caf/behavior.hpp>

#include <utility>

namespace espalier::supervisor {

ChildFactories& add_actor(ChildFactories& factories, const std::string& name, ActorFunction make) {
  return factories.add(ChildKind::actor, name,
                       std::make_shared<const ActorFunction>(std::move(make)));
}

}  // namespace espalier::supervisor
