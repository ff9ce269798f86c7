#include "espalier/supervisor/runtime/command_router.hpp"

#include "espalier/supervisor/core/spec_check.hpp"
#include "espalier/supervisor/runtime/read_state.hpp"
#include "espalier/supervisor/runtime/reload.hpp"
#include "espalier/supervisor/runtime/validate_spec.hpp"

#include <utility>

namespace espalier::supervisor {

namespace {

using Code = Error::Code;

std::optional<Error> missing_payload(const Command& command) {
  const auto missing = [&](const char* what) {
    return Error{Code::invalid_spec, std::string{to_string(command.kind)} + " of " + command.path +
                                         " came without " + what};
  };
  switch (command.kind) {
    case CommandKind::add_child:
      return command.spec ? std::nullopt : std::optional{missing("a child spec")};
    case CommandKind::set_policy:
      return command.spec ? std::nullopt : std::optional{missing("a policy")};
    case CommandKind::reload:
      return command.tree ? std::nullopt : std::optional{missing("a tree")};
    default:
      return {};
  }
}

// What can be said of a new child without its siblings; they are the supervisor's to check.
std::optional<Error> problem_of_child(const Command& command, const ChildFactories& factories) {
  auto child = *command.spec;
  const bool needs_factory = child.kind == ChildKind::actor || child.kind == ChildKind::async ||
                             child.kind == ChildKind::blocking || child.kind == ChildKind::pipeline;
  const bool unknown = needs_factory && !factories.kind_of(child.factory);
  child.dependencies.clear();
  child.group.clear();
  if (child.sidecar && child.role == WorkRole::sidecar) child.role.reset();
  child.sidecar.reset();
  child.significant = false;
  auto problem = problem_of({.children = {child}}, factories);
  if (problem.empty()) return {};
  const auto top = join_path("/", child.name);
  if (command.path != "/" && problem.starts_with(top)) {
    problem.insert(0, command.path);
  }
  return Error{unknown ? Code::unknown_factory : Code::invalid_spec, std::move(problem)};
}

std::optional<Error> problem_of_policy(const Command& command) {
  const auto problems = policy_problems(command.spec->policy);
  if (problems.empty()) return {};
  const auto& first = problems.front();
  return Error{Code::invalid_spec,
               command.path + ": " + first.fields.front() + ": " + first.message};
}

bool is_pool(const TreeServices& services, const std::string& path) {
  const auto entry = services.directory->find(path);
  return entry && entry->board->info().kind == ChildKind::pool;
}

std::optional<Error> problem_of_command(const Command& command, const TreeServices& services) {
  if (auto problem = meta_problem(command.kind, command.meta)) return problem;
  // A pool makes its instances from its own template.
  if (command.kind == CommandKind::add_child && is_pool(services, command.path)) return {};
  if (auto problem = missing_payload(command)) return problem;
  if (command.kind == CommandKind::add_child) return problem_of_child(command, services.factories);
  if (command.kind == CommandKind::set_policy) return problem_of_policy(command);
  if (command.kind == CommandKind::reload) {
    auto problem = problem_of(*command.tree, services.factories);
    if (!problem.empty()) return Error{Code::invalid_spec, std::move(problem)};
  }
  return {};
}

}  // namespace

std::optional<Error> CommandRouter::problem_of(const Command& command) const {
  return problem_of_command(command, *services_);
}

bool CommandRouter::is_instance(const Command& command) const {
  return command.kind == CommandKind::add_child && is_pool(*services_, command.path);
}

void CommandRouter::execute(Command command, Answer done) const {
  if (auto problem = problem_of(command)) return done(unexpected<Error>(std::move(*problem)));
  switch (command.kind) {
    case CommandKind::reload:
      return reload_tree(services_, std::move(command), std::move(done));
    case CommandKind::shutdown_tree:
      return order("/", "", std::move(command), std::move(done));
    case CommandKind::add_child:
    case CommandKind::reset_group:
    case CommandKind::scale_pool: {
      const auto path = command.path;
      return order(path, "", std::move(command), std::move(done));
    }
    case CommandKind::set_policy: {  // That of a pool is the policy of its instances.
      const auto path = command.path;
      if (is_pool(*services_, path)) return order(path, "", std::move(command), std::move(done));
      return to_child(std::move(command), std::move(done));
    }
    default:
      return to_child(std::move(command), std::move(done));
  }
}

void CommandRouter::order(const std::string& supervisor, const std::string& child, Command command,
                          Answer done) const {
  const auto entry = services_->directory->find(supervisor);
  if (!entry || entry->ended) return done(unexpected<Error>(no_supervisor(supervisor)));
  // The engine knows its own children only: say what else might have been meant.
  auto answer = [services = services_, path = join_path(supervisor, child), child,
                 done = std::move(done)](const CommandResult& result) {
    const bool unknown = !result && result.error().code == Code::not_found && !child.empty();
    unknown ? done(unexpected<Error>(not_found(*services, path))) : done(result);
  };
  const auto ticket = entry->desk->open(std::move(answer));
  if (!ticket) return;
  entry->line->send(
      input::Order{*ticket, child, std::make_shared<const Command>(std::move(command))});
}

void CommandRouter::to_child(Command command, Answer done) const {
  if (command.path == "/") {
    const auto text = std::string{to_string(command.kind)} +
                      " is for a child; the root itself can only be reloaded or shut down";
    return done(unexpected<Error>(Error{Code::wrong_kind, text}));
  }
  const auto place = services_->directory->above(command.path);
  if (!place || place->rest.empty() || place->rest.find('/') != std::string::npos) {
    return done(unexpected<Error>(no_supervisor(command.path)));
  }
  order(place->path, place->rest, std::move(command), std::move(done));
}

// Why there is nobody to give an order to.
Error CommandRouter::no_supervisor(const std::string& path) const {
  const auto& directory = *services_->directory;
  if (services_->stopping) {
    return {Code::shutting_down, "the tree is shutting down; nothing more can be asked"};
  }
  const auto root = directory.find("/");
  if (root && root->ended) return {Code::gone, "the tree has ended; start it anew"};
  if (const auto entry = directory.find(path); entry && entry->ended) {
    return {Code::wrong_state, path + " does not run now; start it, or ask once it is up"};
  }
  const auto place = directory.above(path);
  const auto row = place ? place->supervisor.board->find(place->rest) : std::nullopt;
  if (!row) return not_found(*services_, path);
  const auto kind = row->spec ? row->spec->kind : ChildKind::actor;
  if (kind == ChildKind::supervisor || kind == ChildKind::pool) {
    return {Code::wrong_state, path + " does not run now; start it, or ask once it is up"};
  }
  return {Code::wrong_kind,
          path + " is of kind " + to_string(kind) + "; this is for a supervisor or a pool"};
}

}  // namespace espalier::supervisor
