#include "espalier/supervisor/runtime/tree_state.hpp"

namespace espalier::supervisor {

const std::string& NodeState::group() const {
  static const std::string none;
  return spec ? spec->group : none;
}

const std::vector<std::string>& NodeState::tags() const {
  static const std::vector<std::string> none;
  return spec ? spec->tags : none;
}

SeverityClass NodeState::severity() const {
  return spec ? spec->policy.severity : SeverityClass::standard;
}

std::optional<WorkRole> NodeState::role() const {
  return spec ? spec->role : std::nullopt;
}

}  // namespace espalier::supervisor
