#include "espalier/supervisor/config/internal/child_loader.hpp"

#include "espalier/supervisor/config/internal/tree_edit.hpp"

#include <algorithm>

namespace espalier::supervisor::internal {

namespace {

const Node* value_of(const Node& node, const std::string& key) {
  const auto* entry = node.find(key);
  return entry == nullptr ? nullptr : &entry->value;
}

std::string at(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

bool names_field(const std::string& key, const FieldVisitor::Body& body) {
  FieldNames fields;
  body(fields);
  return std::find(fields.names().begin(), fields.names().end(), key) != fields.names().end();
}

// Why a key that a child may have does not fit a child of this kind.
std::string other_kind(const std::string& key, ChildKind kind) {
  ChildSpec child;
  ProcessSpec process;
  SupervisorSpec supervisor;
  std::string owner;
  if (names_field(key, [&](FieldVisitor& v) { describe_process(v, process); })) owner = "process";
  if (key == "resource_limits") owner = "process";
  if (names_field(key, [&](FieldVisitor& v) { describe_factory(v, child); })) {
    owner = "actor or blocking";
  }
  const bool nested = key == "children" || key == "policy" || key == "shutdown";
  if (nested ||
      names_field(key, [&](FieldVisitor& v) { describe_nested_supervisor(v, supervisor); })) {
    owner = "supervisor";
  }
  if (owner.empty()) return {};
  return "belongs to a child of kind " + owner + "; this one is of kind " +
         std::string(to_string(kind));
}

}  // namespace

void load_scope(LoadContext& context, const Node& node, const std::string& path, Scope& scope) {
  const auto prefix = path.empty() ? path : path + ".";
  auto& grace = scope.policy.stop;
  auto& sources = scope.shutdown_sources;
  sources.erase("graceful_timeout");
  Reader shutdown(context, value_of(node, "shutdown"), prefix + "shutdown", sources);
  describe_shutdown(shutdown, scope.shutdown, &grace);
  shutdown.finish();
  if (const auto given = sources.find("graceful_timeout"); given != sources.end()) {
    scope.policy_sources[given->first] = given->second;
  } else if (const auto above = scope.policy_sources.find("graceful_timeout");
             above != scope.policy_sources.end()) {
    sources[above->first] = above->second;
  }
  const auto* section = value_of(node, "policy");
  Reader policy(context, section, prefix + "policy", scope.policy_sources);
  describe_policy(policy, scope.policy);
  std::vector<std::string> spellings;
  for (const auto& spelling : policy_spellings())
    spellings.push_back(spelling.other);
  policy.finish({}, spellings);
  if (section != nullptr) check_backoff(context, *section, prefix + "policy", scope.policy.backoff);
}

void check_backoff(LoadContext& context, const Node& node, const std::string& path,
                   const Backoff& backoff) {
  const auto* written = value_of(node, "backoff");
  if (written == nullptr || backoff.initial <= backoff.max) return;
  for (const auto* key : {"initial", "initial_ms", "max", "max_ms"}) {
    const auto* value = value_of(*written, key);
    if (value == nullptr) continue;
    context.fail(value->position, path + ".backoff." + key,
                 "the initial delay " + render_duration(backoff.initial) + " is above the max " +
                     render_duration(backoff.max) + "; lower it or raise max");
    return;
  }
}

void ChildLoader::load(Entry& list, const std::string& path, const Scope& scope,
                       SupervisorSpec& into) {
  if (list.value.kind == Node::Kind::null) return;
  if (list.value.kind != Node::Kind::list) {
    context_.fail(list.value.position, path, "expected a list of children, each begun with -");
    return;
  }
  for (std::size_t i = 0; i < list.value.items.size(); ++i) {
    into.children.push_back(load_child(list.value.items[i], at(path, i), scope));
  }
  check_siblings(list, path, into);
}

ChildSpec ChildLoader::load_child(Node& node, const std::string& path, const Scope& scope) {
  ChildSpec child;
  child.position = node.position;
  child.policy = scope.policy;
  auto sources = scope.policy_sources;
  if (node.kind == Node::Kind::map) guess_kind(node, path, child);
  if (child.kind == ChildKind::supervisor) {
    // Below it may be any number of children, each with bounds of its own.
    child.policy.stop = {StopPolicy::Kind::infinity, child.policy.stop.grace};
    child.policy.start_timeout = Duration::zero();
    sources.erase("graceful_timeout");
    sources.erase("start_timeout");
    auto spellings = policy_spellings();
    std::erase_if(spellings, [](const auto& x) { return x.other == "restart_limit"; });
    move_spellings(node, spellings, path, context_.problems);
  } else {
    move_spellings(node, policy_spellings(), path, context_.problems);
  }
  Reader reader(context_, &node, path, sources);
  if (node.kind != Node::Kind::map) {
    if (node.kind == Node::Kind::null) {
      context_.fail(node.position, path, "expected a child, such as {name: web, command: [...]}");
    }
    return child;
  }
  describe_child(reader, child);
  if (node.find("name") == nullptr) {
    context_.fail(node.position, path, "a child needs a name: add name: to it");
  }
  describe_policy(reader, child.policy);
  check_backoff(context_, node, path, child.policy.backoff);
  switch (child.kind) {
    case ChildKind::supervisor:
      load_supervisor(reader, node, path, scope, child);
      break;
    case ChildKind::process:
      load_process(reader, node, path, child);
      break;
    case ChildKind::actor:
    case ChildKind::blocking:
      load_factory(reader, node, path, child);
      break;
  }
  reader.finish([&](const std::string& key) { return other_kind(key, child.kind); },
                {"command", "children", "factory"});
  return child;
}

void ChildLoader::guess_kind(const Node& node, const std::string& path, ChildSpec& child) {
  if (const auto* kind = value_of(node, "kind"); kind != nullptr) {
    // Read ahead, since the kind decides which fields there are; the reader files any problem.
    Problems unused_problems;
    std::vector<EffectiveField> unused_fields;
    LoadContext quiet{context_.environment, unused_problems, unused_fields};
    Node only;
    only.kind = Node::Kind::map;
    only.entries = {*node.find("kind")};
    Sources sources;
    Reader reader(quiet, &only, path, sources);
    child.kind = node.find("children") != nullptr  ? ChildKind::supervisor
                 : node.find("command") != nullptr ? ChildKind::process
                                                   : ChildKind::actor;
    describe_child(reader, child);
  } else if (node.find("command") != nullptr) {
    child.kind = ChildKind::process;
  } else if (node.find("children") != nullptr) {
    child.kind = ChildKind::supervisor;
  } else if (node.find("factory") != nullptr) {
    context_.fail(node.position, path + ".kind",
                  "is missing; say kind: actor or kind: blocking beside factory");
  } else {
    context_.fail(node.position, path + ".kind",
                  "is missing; give the child a command, children, or a kind with a factory");
  }
}

void ChildLoader::load_supervisor(Reader& reader, Node& node, const std::string& path,
                                  const Scope& scope, ChildSpec& child) {
  auto spec = std::make_shared<SupervisorSpec>();
  spec->name = child.name;
  describe_nested_supervisor(reader, *spec);
  for (const auto* key : {"policy", "shutdown", "children"})
    reader.allow(key);
  auto inner = scope;
  if (auto* policy = node.find("policy"); policy != nullptr) {
    move_spellings(policy->value, policy_spellings(), path + ".policy", context_.problems);
  }
  load_scope(context_, node, path, inner);
  spec->shutdown = inner.shutdown;
  if (auto* list = node.find("children"); list != nullptr) {
    load(*list, path + ".children", inner, *spec);
  } else {
    context_.fail(node.position, path,
                  "a supervisor needs children; write children: [] if it has none yet");
  }
  child.supervisor = std::move(spec);
}

void ChildLoader::load_process(Reader& reader, const Node& node, const std::string& path,
                               ChildSpec& child) {
  auto spec = std::make_shared<ProcessSpec>();
  describe_process(reader, *spec);
  const auto* command = value_of(node, "command");
  if (command == nullptr) {
    context_.fail(node.position, path, "a process needs a command: [programme, argument, ...]");
  } else if (command->kind == Node::Kind::list &&
             (command->items.empty() || (!spec->command.empty() && spec->command[0].empty()))) {
    context_.fail(command->position, path + ".command", "the programme to run is missing");
  }
  child.process = std::move(spec);
}

void ChildLoader::load_factory(Reader& reader, const Node& node, const std::string& path,
                               ChildSpec& child) {
  describe_factory(reader, child);
  const auto* factory = value_of(node, "factory");
  if (factory == nullptr) {
    if (node.find("kind") != nullptr) {
      context_.fail(node.position, path,
                    std::string("a child of kind ") + to_string(child.kind) +
                        " needs a factory: the name its code is registered under");
    }
    return;
  }
  if (std::find(factories_.begin(), factories_.end(), child.factory) != factories_.end()) return;
  if (factory->kind != Node::Kind::scalar) return;
  const auto near = hint(child.factory, factories_);
  context_.fail(factory->position, path + ".factory",
                "no factory is named " + quote(child.factory) + near + "; known are " +
                    (factories_.empty() ? "none" : one_of(factories_)));
}

void ChildLoader::check_siblings(const Entry& list, const std::string& path,
                                 const SupervisorSpec& spec) {
  std::map<std::string, std::size_t> first;
  std::vector<std::string> names;
  bool sound = true;
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    const auto& name = spec.children[i].name;
    const auto* written = value_of(list.value.items[i], "name");
    if (written == nullptr) continue;
    names.push_back(name);
    const auto [same, fresh] = first.emplace(name, i);
    if (fresh) continue;
    sound = false;
    context_.fail(written->position, at(path, i) + ".name",
                  quote(name) + " is taken by the sibling at " +
                      to_string(spec.children[same->second].position) + "; choose another");
  }
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    check_dependencies(list.value.items[i], at(path, i), spec.children[i], names, sound);
  }
  if (!sound) return;
  const auto order = start_order(spec);
  if (!order.problem.empty()) {
    context_.fail(list.position, path, order.problem + "; take one of these dependencies away");
  }
}

void ChildLoader::check_dependencies(const Node& node, const std::string& path,
                                     const ChildSpec& child, const std::vector<std::string>& names,
                                     bool& sound) {
  const auto* list = value_of(node, "dependencies");
  if (list == nullptr || list->items.size() != child.dependencies.size()) return;
  for (std::size_t i = 0; i < child.dependencies.size(); ++i) {
    const auto& name = child.dependencies[i];
    std::string fault;
    if (name == child.name) {
      fault = "a child cannot depend on itself; remove it";
    } else if (std::find(names.begin(), names.end(), name) == names.end()) {
      fault = "no sibling is named " + quote(name) + hint(name, names);
    }
    if (fault.empty()) continue;
    sound = false;
    context_.fail(list->items[i].position, at(path + ".dependencies", i), fault);
  }
}

}  // namespace espalier::supervisor::internal
