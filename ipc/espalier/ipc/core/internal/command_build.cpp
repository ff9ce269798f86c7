#include "espalier/ipc/core/internal/command_request.hpp"
#include "espalier/ipc/wire/json.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <utility>

namespace espalier::ipc::internal {

using supervisor::ChildKind;
using supervisor::ChildSpec;
using supervisor::Command;
using supervisor::CommandKind;
using supervisor::NodeState;
using supervisor::TreeState;

namespace {

using Problem = std::optional<WireError>;

Problem stale(const std::string& what, std::uint64_t now, std::uint64_t expected) {
  if (now == expected) return {};
  return WireError{ErrorCode::stale_generation,
                   Stage::fencing,
                   what + " is at generation " + std::to_string(now) + ", not at " +
                       std::to_string(expected) +
                       " any more; nothing was changed: look again and decide anew",
                   false,
                   {}};
}

expected<NodeState, WireError> node_at(Target& target, const std::string& path) {
  auto state = target.state({.path = path, .depth = 0});
  if (!state) return unexpected<WireError>(error_of(state.error()));
  if (!state->nodes.empty()) return std::move(state->nodes.front());
  return unexpected<WireError>(
      WireError{ErrorCode::not_found, Stage::execution, "there is no " + path, false, {}});
}

// Of what the supervisor itself is about the tree does not compare; commands of children it does.
Problem fence(Command& command, const CommandParams& params, Target& target) {
  if (!params.expected_generation) return {};
  const auto wanted = *params.expected_generation;
  switch (command.kind) {
    case CommandKind::add_child:
    case CommandKind::reload:
    case CommandKind::shutdown_tree:
      return stale("the tree", target.generation(), wanted);
    case CommandKind::scale_pool:
    case CommandKind::reset_group: {
      const auto node = node_at(target, command.path);
      if (!node) return node.error();
      return stale(command.path, node->view.generation, wanted);
    }
    default:
      command.expected_generation = wanted;
      return {};
  }
}

expected<TreeState, WireError> running_tree(Target& target) {
  auto state = target.state({});
  if (!state) return unexpected<WireError>(error_of(state.error()));
  return std::move(*state);
}

Problem read_new_child(Command& command, const CommandParams& params, Target& target,
                       const std::vector<std::string>& allowed) {
  if (!params.child) return {};  // Of a pool: it makes the instance from its own template.
  auto child = target.read_child(command.path, params.child->text);
  if (!child) return child.error();
  // A child that is not there yet has nothing that may go on.
  const TreeState nothing;
  const AllowList list{allowed, nothing};
  if (auto problem = list.problem_of(*child, supervisor::join_path(command.path, child->name))) {
    return problem;
  }
  command.spec = std::make_shared<const ChildSpec>(std::move(*child));
  return {};
}

// A policy stands in a tree file as fields of its child; the rest of those are the child's own.
std::string with_identity(const ChildSpec& child, const std::string& policy) {
  auto json = Json::parse(policy, nullptr, false);
  if (!json.is_object()) return policy;
  json["name"] = child.name;
  json["kind"] = to_string(child.kind);
  if (!child.factory.empty()) json["factory"] = child.factory;
  if (child.kind == ChildKind::process && child.process) json["command"] = child.process->command;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Problem read_policy(Command& command, const CommandParams& params, Target& target,
                    const std::vector<std::string>& allowed) {
  const auto running = running_tree(target);
  if (!running) return running.error();
  const auto node = node_at(target, command.path);
  if (!node) return node.error();
  if (!node->spec) {
    return WireError{ErrorCode::wrong_kind,
                     Stage::execution,
                     "the root has no policy of its own; name one of its children",
                     false,
                     {}};
  }
  const bool is_pool = node->spec->pool != nullptr;
  auto changed = is_pool ? node->spec->pool->child : *node->spec;
  if (is_pool) changed.name = node->spec->name;
  const auto parent = command.path.substr(0, command.path.rfind('/'));
  auto read =
      target.read_child(parent.empty() ? "/" : parent, with_identity(changed, params.child->text));
  if (!read) return read.error();
  changed.policy = read->policy;
  const AllowList list{allowed, *running};
  if (auto problem = list.problem_of(changed, is_pool ? command.path + "/*" : command.path)) {
    return problem;
  }
  command.spec = std::make_shared<const ChildSpec>(std::move(*read));
  return {};
}

Problem read_new_tree(Command& command, const CommandParams& params, Target& target,
                      const std::vector<std::string>& allowed) {
  auto tree = target.read_tree(params.text.value_or(""));
  if (!tree) return tree.error();
  if (params.text) {
    const auto running = running_tree(target);
    if (!running) return running.error();
    const AllowList list{allowed, *running};
    if (auto problem = list.problem_of(*tree)) return problem;
  }
  command.tree = std::make_shared<const supervisor::SupervisorSpec>(std::move(*tree));
  return {};
}

Problem read_texts(Command& command, const CommandParams& params, Target& target,
                   const std::vector<std::string>& allowed) {
  switch (command.kind) {
    case CommandKind::add_child:
      return read_new_child(command, params, target, allowed);
    case CommandKind::set_policy:
      return read_policy(command, params, target, allowed);
    case CommandKind::reload:
      return read_new_tree(command, params, target, allowed);
    default:
      return {};
  }
}

}  // namespace

expected<Command, WireError> command_of(CommandKind kind, const CommandParams& params,
                                        std::uint32_t uid, Target& target,
                                        const std::vector<std::string>& allowed) {
  Command command;
  command.kind = kind;
  command.path = params.path.value_or("/");
  command.meta.requested_by = params.requested_by + " (uid " + std::to_string(uid) + ")";
  command.meta.reason = params.reason;
  command.dry_run = params.dry_run.value_or(false);
  command.group = params.group.value_or("");
  command.size = static_cast<std::uint32_t>(params.size.value_or(0));
  if (auto problem = read_texts(command, params, target, allowed)) {
    return unexpected<WireError>(std::move(*problem));
  }
  if (auto problem = fence(command, params, target)) {
    return unexpected<WireError>(std::move(*problem));
  }
  return command;
}

}  // namespace espalier::ipc::internal
