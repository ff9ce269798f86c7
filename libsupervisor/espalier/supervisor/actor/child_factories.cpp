#include "espalier/supervisor/actor/child_factories.hpp"

#include <caf/behavior.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace espalier::supervisor {

namespace {

void check_name(const ChildFactories& factories, const std::string& name) {
  if (factories.find_blocking(name) || factories.find_actor(name)) {
    throw std::invalid_argument("a factory named '" + name +
                                "' is registered already; choose another name");
  }
}

template <class Map>
auto find_in(const Map& map, const std::string& name) -> decltype(&map.begin()->second) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

ChildFactories& ChildFactories::add_blocking(const std::string& name, BlockingFunction run) {
  check_name(*this, name);
  blocking_.emplace(name, std::move(run));
  return *this;
}

ChildFactories& ChildFactories::add_actor(const std::string& name, ActorFunction make) {
  check_name(*this, name);
  actors_.emplace(name, std::move(make));
  return *this;
}

const BlockingFunction* ChildFactories::find_blocking(const std::string& name) const {
  return find_in(blocking_, name);
}

const ActorFunction* ChildFactories::find_actor(const std::string& name) const {
  return find_in(actors_, name);
}

std::vector<std::string> ChildFactories::names() const {
  std::vector<std::string> result;
  for (const auto& entry : blocking_)
    result.push_back(entry.first);
  for (const auto& entry : actors_)
    result.push_back(entry.first);
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace espalier::supervisor
