#include "espalier/supervisor/config/internal/child_loader.hpp"
#include "espalier/supervisor/core/work_role.hpp"

#include <algorithm>
#include <map>

namespace espalier::supervisor::internal {

namespace {

// Follows "a.b[2].c" down from a map as far as it is written.
class Trail {
 public:
  Trail(const Node& node, const std::string& field) : at_(&node), field_(field) {
    while (from_ < field_.size() && step()) {
    }
  }
  [[nodiscard]] bool is_whole() const { return from_ >= field_.size(); }
  [[nodiscard]] std::size_t length() const { return from_; }
  [[nodiscard]] const SourcePosition& position() const { return at_->position; }

 private:
  bool step() {
    const bool in_list = field_[from_] == '[';
    const auto begin = from_ + (in_list || field_[from_] == '.' ? 1U : 0U);
    const auto end = std::min(field_.find_first_of(in_list ? "]" : ".[", begin), field_.size());
    const auto part = field_.substr(begin, end - begin);
    const Node* next = nullptr;
    if (in_list) {
      const auto index = std::stoul(part);
      next = index < at_->items.size() ? &at_->items[index] : nullptr;
    } else {
      next = value_of(*at_, part);
      if (next == nullptr) next = value_of(*at_, part + "_ms");
      // A lone value stands for a map of one field.
      if (next == nullptr && from_ > 0 && at_->kind == Node::Kind::scalar) next = at_;
    }
    if (next == nullptr) return false;
    at_ = next;
    from_ = end + (in_list ? 1 : 0);
    return true;
  }

  const Node* at_;
  const std::string& field_;
  std::size_t from_ = 0;
};

// More than one of keys that exclude each other.
void check_one_of(LoadContext& context, const Node* node, const std::string& path,
                  const std::vector<std::string>& keys) {
  if (node == nullptr) return;
  std::string first;
  for (const auto& key : keys) {
    const auto* entry = node->find(key);
    if (entry == nullptr) continue;
    if (!first.empty()) {
      context.fail(entry->position, path + "." + key,
                   "stands beside " + first + "; keep one of the two");
    }
    first = key;
  }
}

void check_exclusive(LoadContext& context, const Node& node, const std::string& path) {
  static const std::vector<std::string> probe_kinds{"exec", "tcp", "http", "function"};
  check_one_of(context, value_of(node, "health_check"), path + ".health_check", probe_kinds);
  if (const auto* readiness = value_of(node, "readiness"); readiness != nullptr) {
    check_one_of(context, value_of(*readiness, "probe"), path + ".readiness.probe", probe_kinds);
    const auto* mode = value_of(*readiness, "mode");
    const auto* probe = value_of(*readiness, "probe");
    if (mode != nullptr && mode->text == "immediate" && probe != nullptr && probe->text != "none") {
      context.fail(mode->position, path + ".readiness.mode",
                   "a child that is ready at once needs no probe; remove one of the two");
    }
  }
  const auto* gates = value_of(node, "gates");
  for (std::size_t i = 0; gates != nullptr && i < gates->items.size(); ++i) {
    check_one_of(context, &gates->items[i], at(path + ".gates", i), {"path", "port", "pid_file"});
  }
}

}  // namespace

const Node* value_of(const Node& node, const std::string& key) {
  const auto* entry = node.find(key);
  return entry == nullptr ? nullptr : &entry->value;
}

std::string at(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

void file_problem(LoadContext& context, const Node& node, const std::string& path,
                  const SpecProblem& problem) {
  const auto* best = &problem.fields.front();
  for (const auto& field : problem.fields) {
    if (Trail(node, field).length() > Trail(node, *best).length()) best = &field;
  }
  const auto prefix = path.empty() ? path : path + ".";
  const auto whole = prefix + problem.fields.back();
  const auto& known = context.problems;
  const bool told = std::any_of(known.begin(), known.end(),
                                [&](const ConfigProblem& x) { return x.key.rfind(whole, 0) == 0; });
  if (problem.is_gap && told) return;
  context.fail(Trail(node, *best).position(), prefix + *best, problem.message);
}

void check_policy(LoadContext& context, const Node& node, const std::string& path,
                  const ChildPolicy& policy) {
  check_exclusive(context, node, path);
  for (const auto& problem : policy_problems(policy)) {
    for (const auto& field : problem.fields) {
      if (!Trail(node, field).is_whole()) continue;
      file_problem(context, node, path, {{field}, problem.message});
      break;
    }
  }
}

void finish_level(LoadContext& context, const Node* node, const std::string& path, bool is_root,
                  const Overrides& overrides, SupervisorSpec& spec) {
  const Node nothing;
  const auto& map = node == nullptr ? nothing : *node;
  for (const auto& problem : level_problems(spec, is_root))
    file_problem(context, map, path, problem);
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    const auto field = at("overrides", i) + ".child";
    const auto& name = overrides[i].child;
    const auto child = std::find_if(spec.children.begin(), spec.children.end(),
                                    [&](const ChildSpec& x) { return x.name == name; });
    std::vector<std::string> names;
    for (const auto& each : spec.children)
      names.push_back(each.name);
    if (child == spec.children.end()) {
      file_problem(context, map, path,
                   {{field}, "no child is named " + quote(name) + hint(name, names)});
    } else if (child->strategy_override) {
      file_problem(context, map, path,
                   {{field}, quote(name) + " has a strategy of its own already; keep one"});
    } else {
      child->strategy_override = overrides[i].strategy;
    }
  }
}

void ChildLoader::check_child(const Node& node, const std::string& path, const SupervisorSpec& spec,
                              const ChildSpec& child) {
  if (node.kind != Node::Kind::map) return;
  for (const auto& problem : child_problems(spec, child, options_.known_probes))
    file_problem(context_, node, path, problem);
  const auto file_warning = [&](const ChildSpec& made, const Node& written,
                                const std::string& key) {
    const auto warning = role_warning(made);
    if (warning.empty()) return;
    context_.warnings.push_back({Trail(written, "restart").position(), key, warning});
  };
  file_warning(child, node, path + ".restart");
  if (!child.pool) return;
  const auto* pool = value_of(node, "pool");
  const auto* made = pool == nullptr ? nullptr : value_of(*pool, "template");
  if (made != nullptr) file_warning(child.pool->child, *made, path + ".pool.template.restart");
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
    check_child(list.value.items[i], at(path, i), spec, spec.children[i]);
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
