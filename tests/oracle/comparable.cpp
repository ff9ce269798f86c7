// Where both sides are meant to do the same; docs/oracle.md tells it in words.
#include "oracle/our_tree.hpp"

#include <algorithm>
#include <set>

namespace espalier::oracle {

namespace {

using supervisor::RestartType;
using supervisor::Strategy;

bool is_restarted(const ChildDecl& decl, Reason reason) {
  const bool good =
      reason == Reason::normal || reason == Reason::shutdown || reason == Reason::because;
  return decl.restart == RestartType::permanent ||
         (decl.restart == RestartType::transient && !good);
}

}  // namespace

std::pair<std::string, std::string> split_path(const std::string& path) {
  const auto slash = path.rfind('/');
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

bool OurTree::is_comparable(const Action& action) const {
  switch (action.kind) {
    case Action::Kind::start:
      return !started_;
    case Action::Kind::fail:
      return true;
    case Action::Kind::exits:
      return started_ && may_exit(action);
    case Action::Kind::add:
      return started_ && may_add(action);
    case Action::Kind::terminate:
    case Action::Kind::restart:
    case Action::Kind::remove:
      return started_ && may_command(action);
    case Action::Kind::grow:
      return started_ && may_grow(action);
    case Action::Kind::shrink:
      return started_ && may_shrink(action);
    case Action::Kind::shutdown:
      break;
  }
  return started_;
}

// Workers of one supervisor that live.
bool OurTree::may_exit(const Action& action) const {
  if (action.ends.empty()) return false;
  const auto first = split_path(action.ends.front().path).first;
  if (action.ends.size() > 1 && awaits_significant(first)) return false;
  std::set<std::string> names;
  for (const auto& end : action.ends) {
    const auto [over, name] = split_path(end.path);
    const auto node = node_at(over);
    const auto* member = node ? node->find(name) : nullptr;
    const bool lives = member && member->alive && !member->nested;
    if (!lives || over != first || !names.insert(name).second) return false;
    if (is_restarted(member->decl, end.reason) && disturbs_held(*node, name)) return false;
    // Its supervisor may give up, or shut down by itself, and be restarted.
    const auto above = node->parent.lock();
    if (above && disturbs_held(*above, node->name)) return false;
  }
  return true;
}

// A group restart starts what an operator stopped; ours does not.
bool OurTree::disturbs_held(const Node& node, const std::string& name) {
  if (node.decl->strategy != Strategy::one_for_one) {
    bool in_scope = node.decl->strategy == Strategy::one_for_all;
    for (const auto& member : node.members) {
      in_scope = in_scope || member.decl.name == name;
      const bool forgotten = member.decl.restart == RestartType::temporary;
      if (in_scope && member.held && !forgotten) return true;
    }
  }
  const auto above = node.parent.lock();
  return above && disturbs_held(*above, node.name);
}

// An exit may come while a group restart, some start of which failed, has yet to go on. A
// significant child that waits for it has ended for OTP, and not for us.
bool OurTree::awaits_significant(const std::string& path) const {
  const auto node = node_at(path);
  return node && node->decl->strategy != Strategy::one_for_one &&
         node->decl->auto_shutdown == supervisor::AutoShutdown::all_significant &&
         has_failures_ahead(path == "/" ? "" : path);
}

bool OurTree::may_add(const Action& action) const {
  const auto node = node_at(action.path);
  if (!node || node->decl->is_pool) return false;
  const bool endless = node->decl->auto_shutdown == supervisor::AutoShutdown::never ||
                       action.child.restart == RestartType::permanent;
  return !(action.child.significant && endless);
}

bool OurTree::may_grow(const Action& action) const {
  const auto node = node_at(action.path);
  return node && node->decl->is_pool && action.child.name == std::to_string(node->grown + 1);
}

bool OurTree::may_shrink(const Action& action) const {
  const auto [over, name] = split_path(action.path);
  const auto node = node_at(over);
  return node && node->decl->is_pool && node->find(name);
}

bool OurTree::may_command(const Action& action) const {
  const auto [over, name] = split_path(action.path);
  const auto node = node_at(over);
  if (!node || node->decl->is_pool) return false;
  const auto* member = node->find(name);
  if (!member) return true;  // Nobody knows it.
  if (!member->alive && member->decl.restart == RestartType::temporary) return false;
  switch (action.kind) {
    case Action::Kind::restart:
      return !member->alive && !has_failures_ahead(action.path);
    case Action::Kind::remove:
      return !member->alive;
    default:
      return true;
  }
}

bool OurTree::has_failures_ahead(const std::string& path) const {
  return std::any_of(failures_.begin(), failures_.end(), [&](const auto& entry) {
    return entry.second > 0 && (entry.first == path || entry.first.starts_with(path + "/"));
  });
}

}  // namespace espalier::oracle
