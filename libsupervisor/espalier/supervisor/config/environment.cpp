#include "espalier/supervisor/config/tree_config.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace espalier::supervisor {

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const auto* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

std::vector<std::string> process_variable_names() {
  std::vector<std::string> names;
  for (auto** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string entry = *at;
    names.push_back(entry.substr(0, entry.find('=')));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace espalier::supervisor
