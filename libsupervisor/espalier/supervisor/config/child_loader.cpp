#include "espalier/supervisor/config/internal/child_loader.hpp"

#include "espalier/supervisor/config/internal/tree_edit.hpp"
#include "espalier/supervisor/core/work_role.hpp"

#include <algorithm>

namespace espalier::supervisor::internal {

namespace {

bool names_field(const std::string& key, const FieldVisitor::Body& body) {
  FieldNames fields;
  body(fields);
  const auto& names = fields.names();
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name == key || name.rfind(key + ".", 0) == 0;
  });
}

// Why a key that a child may have does not fit a child of this kind.
std::string other_kind(const std::string& key, ChildKind kind, bool is_template) {
  ChildSpec child;
  ProcessSpec process;
  SupervisorSpec supervisor;
  Overrides overrides;
  std::string owner;
  if (names_field(key, [&](FieldVisitor& v) { describe_surroundings(v, process); })) {
    owner = "process, or blocking with isolation: process";
  } else if (names_field(key, [&](FieldVisitor& v) { describe_process(v, process); })) {
    owner = "process";
  } else if (names_field(key, [&](FieldVisitor& v) { describe_factory(v, child); })) {
    owner = "actor, async, blocking or pipeline";
  } else if (key == "pool") {
    owner = "pool";
  } else if (key == "children" || key == "policy" || key == "shutdown" ||
             names_field(key, [&](FieldVisitor& v) {
               describe_nested_supervisor(v, supervisor, &overrides);
             })) {
    owner = "supervisor";
  } else if (is_template && names_field(key, [&](FieldVisitor& v) { describe_child(v, child); })) {
    return "belongs to the pool, not to its template; move it up";
  } else if (key == "admission" || key == "config_version") {
    return "belongs to the root; move it to the section supervisor";
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
  if (section != nullptr) check_policy(context, *section, prefix + "policy", scope.policy);
}

void ChildLoader::load(Entry& list, const std::string& path, const Scope& scope,
                       SupervisorSpec& into) {
  if (list.value.kind == Node::Kind::null) return;
  if (list.value.kind != Node::Kind::list) {
    context_.fail(list.value.position, path, "expected a list of children, each begun with -");
    return;
  }
  for (std::size_t i = 0; i < list.value.items.size(); ++i) {
    into.children.push_back(load_child(list.value.items[i], at(path, i), scope, Place::sibling));
  }
  check_siblings(list, path, into);
}

void ChildLoader::move_keys(Node& node, const std::string& path, const ChildSpec& child) {
  auto spellings = policy_spellings();
  if (child.kind == ChildKind::supervisor) {
    std::erase_if(spellings, [](const auto& x) { return is_supervisors_own(x.other); });
  }
  move_spellings(node, spellings, path, context_.problems);
  move_spellings(node, child_spellings(), path, context_.problems);
}

void ChildLoader::take_role(const Node& node, ChildSpec& child, Sources& sources) {
  ChildSpec ahead;
  peek(node, "role", ahead);
  if (!ahead.role) return;
  apply_role(*ahead.role, child.policy);
  for (const auto* field :
       {"restart", "child_restart_limit.max_restarts", "child_restart_limit.window",
        "child_restart_limit.on_exhausted", "backoff.initial", "backoff.max", "backoff.jitter",
        "on_timeout", "severity"}) {
    sources[field] = std::string("role ") + to_string(*ahead.role);
  }
}

ChildSpec ChildLoader::load_child(Node& node, const std::string& path, const Scope& scope,
                                  Place place) {
  ChildSpec child;
  child.position = node.position;
  child.policy = scope.policy;
  auto sources = scope.policy_sources;
  if (node.kind != Node::Kind::map) {
    Reader reader(context_, &node, path, sources);
    if (node.kind == Node::Kind::null) {
      context_.fail(node.position, path, "expected a child, such as {name: web, command: [...]}");
    }
    return child;
  }
  guess_kind(node, path, child);
  move_keys(node, path, child);
  if (child.kind == ChildKind::supervisor || child.kind == ChildKind::pool) {
    // Below it may be any number of children, each with bounds of its own.
    child.policy.stop = {StopPolicy::Kind::infinity, child.policy.stop.grace};
    child.policy.start_timeout = Duration::zero();
    sources.erase("graceful_timeout");
    sources.erase("start_timeout");
  }
  take_role(node, child, sources);
  Reader reader(context_, &node, path, sources);
  if (place == Place::pool_template) {
    child.name = "member";
    describe_made(reader, child);
  } else {
    describe_child(reader, child);
    if (node.find("name") == nullptr) {
      context_.fail(node.position, path, "a child needs a name: add name: to it");
    }
  }
  describe_policy(reader, child.policy);
  check_policy(context_, node, path, child.policy);
  switch (child.kind) {
    case ChildKind::supervisor:
      load_supervisor(reader, node, path, scope, child);
      break;
    case ChildKind::process:
      load_process(reader, node, path, child);
      break;
    case ChildKind::pool:
      load_pool(reader, node, path, scope, child);
      break;
    case ChildKind::actor:
    case ChildKind::async:
    case ChildKind::blocking:
    case ChildKind::pipeline:
      load_factory(reader, node, path, child);
      break;
  }
  const bool is_template = place == Place::pool_template;
  reader.finish([&](const std::string& key) { return other_kind(key, child.kind, is_template); },
                {"command", "children", "factory", "pool"});
  return child;
}

void ChildLoader::peek(const Node& node, const std::string& key, ChildSpec& child) {
  const auto* entry = node.find(key);
  if (entry == nullptr) return;
  Problems unused_problems;
  Problems unused_warnings;
  std::vector<EffectiveField> unused_fields;
  LoadContext quiet{context_.environment, unused_problems, unused_warnings, unused_fields};
  Node only;
  only.kind = Node::Kind::map;
  only.entries = {*entry};
  Sources sources;
  Reader reader(quiet, &only, {}, sources);
  describe_made(reader, child);
}

void ChildLoader::guess_kind(const Node& node, const std::string& path, ChildSpec& child) {
  const bool is_written = node.find("kind") != nullptr;
  if (node.find("command") != nullptr) {
    child.kind = ChildKind::process;
  } else if (node.find("children") != nullptr) {
    child.kind = ChildKind::supervisor;
  } else if (node.find("pool") != nullptr) {
    child.kind = ChildKind::pool;
  } else if (node.find("factory") != nullptr && !is_written) {
    context_.fail(node.position, path + ".kind",
                  "is missing; say kind: actor, async, blocking or pipeline beside factory");
  } else if (!is_written) {
    context_.fail(node.position, path + ".kind",
                  "is missing; give the child a command, children, a pool, or a kind with a "
                  "factory");
  }
  peek(node, "kind", child);
}

void ChildLoader::load_supervisor(Reader& reader, Node& node, const std::string& path,
                                  const Scope& scope, ChildSpec& child) {
  auto spec = std::make_shared<SupervisorSpec>();
  spec->name = child.name;
  Overrides overrides;
  describe_nested_supervisor(reader, *spec, &overrides);
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
  finish_level(context_, &node, path, false, overrides, *spec);
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
  if (child.isolation == Isolation::process) {
    auto surroundings = std::make_shared<ProcessSpec>();
    describe_surroundings(reader, *surroundings);
    child.process = std::move(surroundings);
  }
  const auto* factory = value_of(node, "factory");
  if (factory == nullptr) {
    if (node.find("kind") != nullptr) {
      context_.fail(node.position, path,
                    std::string("a child of kind ") + to_string(child.kind) +
                        " needs a factory: the name its code is registered under");
    }
    return;
  }
  if (std::find(options_.known_factories.begin(), options_.known_factories.end(), child.factory) !=
      options_.known_factories.end()) {
    return check_factory_kind(node, path, child);
  }
  if (factory->kind != Node::Kind::scalar) return;
  const auto near = hint(child.factory, options_.known_factories);
  context_.fail(factory->position, path + ".factory",
                "no factory is named " + quote(child.factory) + near + "; known are " +
                    (options_.known_factories.empty() ? "none" : one_of(options_.known_factories)));
}

void ChildLoader::check_factory_kind(const Node& node, const std::string& path,
                                     const ChildSpec& child) {
  const auto known = options_.factory_kinds.find(child.factory);
  if (known == options_.factory_kinds.end() || known->second == child.kind) return;
  const auto* written = value_of(node, "kind");
  if (written == nullptr || written->kind != Node::Kind::scalar) return;
  context_.fail(written->position, path + ".kind",
                "the factory " + quote(child.factory) + " makes children of kind " +
                    to_string(known->second) + "; write that here");
}

void ChildLoader::load_pool(Reader& reader, Node& node, const std::string& path, const Scope& scope,
                            ChildSpec& child) {
  reader.allow("pool");
  auto* entry = node.find("pool");
  if (entry == nullptr || entry->value.kind != Node::Kind::map) {
    context_.fail(
        entry == nullptr ? node.position : entry->value.position, path + ".pool",
        "a pool needs a size and a template: pool: {size: 4, template: {command: [...]}}");
    return;
  }
  auto& map = entry->value;
  auto spec = std::make_shared<PoolSpec>();
  spec->shutdown = scope.shutdown;
  Sources sources;
  Reader inner(context_, &map, path + ".pool", sources);
  describe_pool(inner, *spec);
  inner.allow("template");
  inner.finish();
  if (map.find("size") == nullptr) spec->size = spec->min;
  if (auto* made = map.find("template"); made != nullptr) {
    spec->child = load_child(made->value, path + ".pool.template", scope, Place::pool_template);
  } else {
    context_.fail(map.position, path + ".pool", "a pool needs a template: the child it is made of");
  }
  child.pool = std::move(spec);
}

}  // namespace espalier::supervisor::internal
