#pragma once

#include "espalier/supervisor/core/child_factories.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <string>

namespace espalier::supervisor {

/// Gives the behaviour of one attempt. Runs inside the new actor, which is already hardened (an
/// exception becomes the exit reason with its text). May throw: a failed start. The context stays
/// valid as long as somebody holds it.
using ActorFunction = std::function<caf::behavior(caf::event_based_actor* self,
                                                  std::shared_ptr<ChildContext> context)>;

/// Registers what children of kind `actor` run; throws as ChildFactories::add does.
ChildFactories& add_actor(ChildFactories& factories, const std::string& name, ActorFunction make);

}  // namespace espalier::supervisor
