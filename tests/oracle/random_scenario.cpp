#include "oracle/random_scenario.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace espalier::oracle {

using supervisor::AutoShutdown;
using supervisor::join_path;
using supervisor::RestartType;
using supervisor::Strategy;

namespace {

/// More than a scenario can use up.
constexpr std::uint32_t inexhaustible = 1000;

}  // namespace

Scenario RandomScenario::write() {
  Scenario scenario;
  scenario.root = roll(8) == 0 ? pool() : supervisor("abcdef", roll(3) == 0);
  OurTree tree{scenario.root};
  const auto add = [&](const Action& action) {
    if (tree.ended() || !tree.is_comparable(action)) return;
    scenario.actions.push_back(action);
    tree.act(action);
  };
  if (roll(12) == 0) add(failing_start(*tree.supervisors().front()));
  add({.kind = Action::Kind::start});
  for (auto left = 1 + roll(12); left > 0 && !tree.ended(); --left)
    add(something(tree));
  add({.kind = Action::Kind::shutdown});
  return scenario;
}

SupervisorDecl RandomScenario::supervisor(const std::string& names, bool may_nest) {
  SupervisorDecl decl;
  decl.strategy = any({Strategy::one_for_one, Strategy::one_for_all, Strategy::rest_for_one});
  decl.intensity = any<std::uint32_t>({0, 1, 2, 3, 5, 5, inexhaustible, inexhaustible});
  decl.auto_shutdown = any({AutoShutdown::never, AutoShutdown::never, AutoShutdown::any_significant,
                            AutoShutdown::all_significant});
  const auto count = 1 + roll(names.size());
  for (std::size_t i = 0; i < count; ++i)
    decl.children.push_back(child(std::string(1, names[i]), decl.auto_shutdown, may_nest));
  return decl;
}

SupervisorDecl RandomScenario::pool() {
  auto decl = supervisor("t", false);
  decl.is_pool = true;
  decl.strategy = Strategy::one_for_one;
  decl.auto_shutdown = AutoShutdown::never;
  decl.children.front().significant = false;
  return decl;
}

ChildDecl RandomScenario::child(const std::string& name, AutoShutdown mode, bool may_nest) {
  ChildDecl decl;
  decl.name = name;
  decl.restart = any({RestartType::permanent, RestartType::permanent, RestartType::transient,
                      RestartType::temporary});
  const bool can_end = mode != AutoShutdown::never && decl.restart != RestartType::permanent;
  decl.significant = can_end && roll(2) == 0;
  if (may_nest && roll(3) == 0) {
    auto nested = roll(4) == 0 ? pool() : supervisor("xyz", false);
    // One that gives up ends with `shutdown` in OTP, a good end, and fails here.
    if (decl.restart == RestartType::transient) nested.intensity = inexhaustible;
    decl.nested = std::make_shared<const SupervisorDecl>(std::move(nested));
    return decl;
  }
  const auto kind = roll(12);
  if (kind == 0) decl.nature = Nature::deaf;
  if (kind == 1 || kind == 2) decl.nature = Nature::rude;
  if (kind == 3 || kind == 4) decl.nature = Nature::brutal;
  return decl;
}

Action RandomScenario::something(const OurTree& tree) {
  const auto all = tree.supervisors();
  const auto& node = *all[roll(all.size())];
  if (node.decl->is_pool && roll(2) == 0) return of_pool(node);
  switch (roll(10)) {
    case 0:
      return failing_start(node);
    case 1:
    case 2:
      return command(node);
    case 3:
      return addition(node);
    default:
      return exits(node);
  }
}

Action RandomScenario::exits(const OurTree::Node& node) {
  std::vector<const OurTree::Member*> workers;
  for (const auto& member : node.members)
    if (member.alive && !member.nested) workers.push_back(&member);
  std::shuffle(workers.begin(), workers.end(), random_);
  const auto count = roll(4) == 0 ? 2 + roll(2) : 1;
  Action action;
  action.kind = Action::Kind::exits;
  for (std::size_t i = 0; i < std::min(count, workers.size()); ++i)
    action.ends.push_back(end_of(node, *workers[i]));
  return action;
}

Action::End RandomScenario::end_of(const OurTree::Node& node, const OurTree::Member& member) {
  return {join_path(node.path, member.decl.name),
          any({Reason::normal, Reason::normal, Reason::shutdown, Reason::because, Reason::crash,
               Reason::crash, Reason::error, Reason::killed})};
}

Action RandomScenario::failing_start(const OurTree::Node& node) {
  Action action;
  action.kind = Action::Kind::fail;
  std::vector<std::string> names{node.decl->is_pool ? std::to_string(node.grown + 1) : "p"};
  for (const auto& member : node.members)
    names.push_back(member.decl.name);
  action.path = join_path(node.path, names[roll(names.size())]);
  action.times = static_cast<std::uint32_t>(1 + roll(4));
  return action;
}

Action RandomScenario::of_pool(const OurTree::Node& node) {
  Action action;
  const bool shrinks = !node.members.empty() && roll(4) == 0;
  action.kind = shrinks ? Action::Kind::shrink : Action::Kind::grow;
  action.path = node.path;
  if (shrinks) {
    action.path = join_path(node.path, node.members[roll(node.members.size())].decl.name);
  } else {
    action.child.name = std::to_string(node.grown + 1);
  }
  return action;
}

Action RandomScenario::command(const OurTree::Node& node) {
  Action action;
  action.kind = any({Action::Kind::terminate, Action::Kind::terminate, Action::Kind::restart,
                     Action::Kind::remove});
  std::vector<std::string> names;
  for (const auto& member : node.members) {
    const bool fits = member.alive == (action.kind == Action::Kind::terminate);
    if (fits) names.push_back(member.decl.name);
  }
  const bool nobody = names.empty() || roll(12) == 0;
  action.path = join_path(node.path, nobody ? "stranger" : names[roll(names.size())]);
  return action;
}

Action RandomScenario::addition(const OurTree::Node& node) {
  std::vector<std::string> names{"p", "q"};
  for (const auto& member : node.members)
    if (!member.alive || roll(6) == 0) names.push_back(member.decl.name);
  Action action;
  action.kind = Action::Kind::add;
  action.path = node.path;
  action.child =
      child(names[roll(names.size())], node.decl->auto_shutdown, node.path == "/" && roll(2) == 0);
  return action;
}

}  // namespace espalier::oracle
