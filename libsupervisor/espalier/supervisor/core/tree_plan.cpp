#include "espalier/supervisor/core/tree_plan.hpp"

#include "espalier/supervisor/core/internal/spec_diff.hpp"

#include <map>

namespace espalier::supervisor {

namespace {

using Children = std::vector<std::shared_ptr<const ChildSpec>>;

std::string joined(const internal::Differences& differences) {
  std::string text;
  for (const auto& difference : differences)
    text += (text.empty() ? "" : ", ") + difference;
  return text;
}

std::vector<const ChildSpec*> in_start_order(const SupervisorSpec& spec) {
  std::vector<const ChildSpec*> children;
  const auto order = start_order(spec);
  for (const auto i : order.order)
    children.push_back(&spec.children[i]);
  return children;
}

void add_starts(std::vector<std::string>& lines, const ChildSpec& child, const std::string& path) {
  const auto size = child.pool ? child.pool->size : 0;
  lines.push_back("start " + path + (child.pool ? " with " + std::to_string(size) : "") +
                  (!child.pool ? ""
                   : size == 1 ? " child"
                               : " children"));
  if (!child.supervisor) return;
  for (const auto* inner : in_start_order(*child.supervisor))
    add_starts(lines, *inner, join_path(path, inner->name));
}

void plan_removals(LevelPlan& plan, const Children& now, const std::set<std::string>& dynamic,
                   const std::map<std::string, const ChildSpec*>& wanted, const std::string& path) {
  for (auto child = now.rbegin(); child != now.rend(); ++child) {
    const auto& name = (*child)->name;
    if (wanted.count(name) > 0 || dynamic.count(name) > 0) continue;
    plan.removed.push_back(name);
    plan.lines.push_back("stop and remove " + join_path(path, name));
  }
}

}  // namespace

LevelPlan plan_level(const Children& now, const std::set<std::string>& dynamic,
                     const SupervisorSpec& level_now, const SupervisorSpec& wanted,
                     const std::string& path) {
  std::map<std::string, const ChildSpec*> before;
  std::map<std::string, const ChildSpec*> after;
  for (const auto& child : now)
    before.emplace(child->name, child.get());
  for (const auto& child : wanted.children)
    after.emplace(child.name, &child);
  LevelPlan plan;
  plan_removals(plan, now, dynamic, after, path);
  std::vector<std::string> changes;
  std::vector<std::string> starts;
  for (const auto* child : in_start_order(wanted)) {
    const auto& name = child->name;
    const auto known = before.find(name);
    if (known == before.end()) {
      plan.added.push_back(name);
      add_starts(starts, *child, join_path(path, name));
      continue;
    }
    auto made = internal::made_differently(*known->second, *child);
    const auto treated = internal::treated_differently(*known->second, *child);
    if (!made.empty()) {
      made.insert(made.end(), treated.begin(), treated.end());
      plan.restarted.push_back(name);
      plan.lines.push_back("restart " + join_path(path, name) + ": " + joined(made));
    } else if (!treated.empty()) {
      plan.changed.push_back(name);
      changes.push_back("change " + join_path(path, name) + " in place: " + joined(treated));
    }
  }
  plan.lines.insert(plan.lines.end(), changes.begin(), changes.end());
  plan.lines.insert(plan.lines.end(), starts.begin(), starts.end());
  const auto settings = internal::settings_differ(level_now, wanted);
  plan.level_changed = !settings.empty();
  if (plan.level_changed) plan.lines.push_back("change " + path + " in place: " + joined(settings));
  return plan;
}

namespace {

void plan_below(std::vector<std::string>& lines, const SupervisorSpec& now,
                const SupervisorSpec& wanted, const std::string& path) {
  Children children;
  std::map<std::string, const ChildSpec*> before;
  for (const auto& child : now.children) {
    children.push_back(std::make_shared<const ChildSpec>(child));
    before.emplace(child.name, &child);
  }
  const auto level = plan_level(children, {}, now, wanted, path);
  lines.insert(lines.end(), level.lines.begin(), level.lines.end());
  for (const auto* child : in_start_order(wanted)) {
    const auto known = before.find(child->name);
    if (known == before.end() || !known->second->supervisor || !child->supervisor) continue;
    plan_below(lines, *known->second->supervisor, *child->supervisor, join_path(path, child->name));
  }
}

}  // namespace

std::vector<std::string> plan_tree(const SupervisorSpec& now, const SupervisorSpec& wanted) {
  std::vector<std::string> lines;
  plan_below(lines, now, wanted, "/");
  return lines;
}

}  // namespace espalier::supervisor
