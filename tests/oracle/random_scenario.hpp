#pragma once

#include "oracle/our_tree.hpp"
#include "oracle/scenario.hpp"

#include <initializer_list>
#include <optional>
#include <random>
#include <string>

namespace espalier::oracle {

/// Random supervisors, and random things that happen to them. The same seed gives the same scenario
/// as long as our engines do the same: what can happen next is asked of OurTree.
class RandomScenario {
 public:
  explicit RandomScenario(unsigned seed) : random_(seed) {}

  Scenario write();

 private:
  std::size_t roll(std::size_t n) { return random_() % n; }
  template <class T>
  T any(std::initializer_list<T> items) {
    return items.begin()[roll(items.size())];
  }

  SupervisorDecl supervisor(const std::string& names, bool may_nest);
  SupervisorDecl pool();
  ChildDecl child(const std::string& name, supervisor::AutoShutdown mode, bool may_nest);

  Action something(const OurTree& tree);
  Action exits(const OurTree::Node& node);
  Action failing_start(const OurTree::Node& node);
  Action command(const OurTree::Node& node);
  Action of_pool(const OurTree::Node& node);
  Action addition(const OurTree::Node& node);
  Action::End end_of(const OurTree::Node& node, const OurTree::Member& member);

  std::mt19937 random_;
};

}  // namespace espalier::oracle
