#pragma once

#include "espalier/supervisor/core/child_context.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Gives the behaviour of one attempt. Runs inside the new actor, which is already hardened (an
/// exception becomes the exit reason with its text). May throw: a failed start. The context stays
/// valid as long as somebody holds it.
using ActorFunction = std::function<caf::behavior(caf::event_based_actor* self,
                                                  std::shared_ptr<ChildContext> context)>;

/// Name -> what a child of that name runs. Names are unique over both kinds; a second registration
/// under a name throws std::invalid_argument. Copyable; not for use while another thread adds.
class ChildFactories {
 public:
  ChildFactories& add_blocking(const std::string& name, BlockingFunction run);
  ChildFactories& add_actor(const std::string& name, ActorFunction make);

  [[nodiscard]] const BlockingFunction* find_blocking(const std::string& name) const;
  [[nodiscard]] const ActorFunction* find_actor(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names() const;  ///< Sorted.

 private:
  std::map<std::string, BlockingFunction> blocking_;
  std::map<std::string, ActorFunction> actors_;
};

}  // namespace espalier::supervisor
