#include "espalier/pipeline/declare/internal/stage_check.hpp"

#include <algorithm>
#include <map>

namespace espalier::pipeline::internal {

using supervisor::internal::at;
using supervisor::internal::file_problem;
using supervisor::internal::hint;
using supervisor::internal::LoadContext;
using supervisor::internal::Node;
using supervisor::internal::one_of;
using supervisor::internal::quote;
using supervisor::internal::to_string;
using supervisor::internal::value_of;

namespace {

using Keys = std::vector<std::string>;

/// Of these a stage has exactly one; a rate may stand alone.
const Keys& kind_keys() {
  static const Keys keys{"command", "task",   "filter", "batch",
                         "window",  "unpack", "split",  "broadcast"};
  return keys;
}

const Keys& command_keys() {
  static const Keys keys{
      "mode",        "result",     "error_field",   "environment",     "clear_environment",
      "cwd",         "user",       "user_group",    "umask",           "nice",
      "stop_signal", "kill_after", "kill_after_ms", "resource_limits", "success_exit_codes"};
  return keys;
}

bool is_given(const Node& stage, const std::string& key) {
  const auto* value = value_of(stage, key);
  return value != nullptr && value->kind != Node::Kind::null && value->text != "none" &&
         !(key == "unpack" && value->text == "false");
}

class StageCheck {
 public:
  StageCheck(LoadContext& context, const Node& list, const PipelineSpec& spec,
             const JsonTasks& tasks)
      : context_(context), list_(list), spec_(spec), tasks_(tasks) {
    for (const auto& stage : spec.stages)
      names_.push_back(stage.name);
  }

  void run() {
    for (std::size_t i = 0; i < spec_.stages.size(); ++i) {
      if (list_.items[i].kind != Node::Kind::map) continue;
      check_name(i);
      check_kind(i);
      check_conditions(i);
      check_targets(i);
      check_fall_through(i);
    }
  }

 private:
  void fail(std::size_t i, Keys fields, const std::string& message, bool is_gap = false) {
    file_problem(context_, list_.items[i], at("pipeline.stages", i),
                 {std::move(fields), message, is_gap});
  }

  /// Then what seems to be missing may be what was misspelt.
  [[nodiscard]] bool has_problem(std::size_t i) const {
    const auto path = at("pipeline.stages", i) + ".";
    return std::any_of(context_.problems.begin(), context_.problems.end(),
                       [&](const auto& problem) { return problem.key.rfind(path, 0) == 0; });
  }

  void check_name(std::size_t i) {
    const auto& name = names_[i];
    if (value_of(list_.items[i], "name") == nullptr) {
      fail(i, {"name"}, "a stage needs a name; write name: and a word of your choice", true);
    } else if (name == "output") {
      fail(i, {"name"}, "output is where items leave the pipeline; choose another name");
    }
    const auto first = std::find(names_.begin(), names_.end(), name);
    const auto other = static_cast<std::size_t>(first - names_.begin());
    if (other == i || name.empty()) return;
    fail(i, {"name"},
         quote(name) + " is taken by the stage at " + to_string(list_.items[other].position) +
             "; choose another");
  }

  void check_kind(std::size_t i) {
    const auto& node = list_.items[i];
    Keys kinds;
    std::copy_if(kind_keys().begin(), kind_keys().end(), std::back_inserter(kinds),
                 [&](const std::string& key) { return is_given(node, key); });
    if (kinds.empty() && spec_.stages[i].options.rate.per_second == 0 && !has_problem(i)) {
      fail(i, {"command"}, "a stage needs something to do: " + one_of(kind_keys()), true);
    }
    if (kinds.size() > 1) {
      fail(i, {kinds[1]}, "stands beside " + kinds[0] + "; make two stages of it");
    }
    const auto has = [&](const char* key) { return is_given(node, key); };
    if (has("command") && spec_.stages[i].process.command.empty())
      fail(i, {"command"}, "is empty; write the programme and its arguments as a list", true);
    for (const auto& key : command_keys()) {
      if (has(key.c_str()) && !has("command") && !kinds.empty())
        fail(i, {key}, "belongs to a command; this stage has none");
    }
    if (has("params") && !has("task")) fail(i, {"params"}, "belongs to a task");
    if (has("key") && spec_.stages[i].options.order != Order::by_key)
      fail(i, {"key"}, "has no effect without order: by_key");
    if (spec_.stages[i].options.order == Order::by_key && !has("key"))
      fail(i, {"order"}, "needs key: and the field items are ordered by", true);
    if (has("task")) check_task(i);
  }

  void check_task(std::size_t i) {
    const auto& name = spec_.stages[i].task;
    if (tasks_.count(name) > 0) return;
    Keys known;
    for (const auto& task : tasks_)
      known.push_back(task.first);
    const auto near = hint(name, known);
    fail(i, {"task"},
         known.empty() ? "this programme has no tasks; write command: to run a programme"
                       : "no task is named " + quote(name) +
                             (near.empty() ? "; known here: " + one_of(known) : near));
  }

  void check_condition(std::size_t i, const std::string& field, const Node* node) {
    if (node == nullptr || node->kind != Node::Kind::map) return;
    if (value_of(*node, "field") == nullptr)
      fail(i, {field + ".field"}, "a condition needs field:", true);
    if (value_of(*node, "equals") != nullptr && value_of(*node, "one_of") != nullptr)
      fail(i, {field + ".one_of"}, "stands beside equals; keep one of the two");
  }

  void check_conditions(std::size_t i) {
    const auto& node = list_.items[i];
    check_condition(i, "filter", value_of(node, "filter"));
    check_condition(i, "skip_if", value_of(node, "skip_if"));
    const auto* routes = value_of(node, "split");
    for (std::size_t k = 0; routes != nullptr && k < routes->items.size(); ++k) {
      const auto& route = routes->items[k];
      const bool has_question = route.entries.size() > 1;
      if (has_question) check_condition(i, at("split", k), &route);
      if (!has_question && k + 1 < routes->items.size())
        fail(i, {at("split", k)}, "takes every item, so the lines below never do; put it last");
    }
  }

  void check_target(std::size_t i, const std::string& field, const std::string& target) {
    if (target == "output") return;
    if (target == names_[i]) {
      fail(i, {field}, "a stage cannot follow itself");
    } else if (std::find(names_.begin(), names_.end(), target) == names_.end()) {
      fail(i, {field}, "no stage is named " + quote(target) + hint(target, names_), true);
    }
  }

  void check_targets(std::size_t i) {
    const auto& stage = spec_.stages[i];
    if (!stage.next.empty()) check_target(i, "next", stage.next);
    for (std::size_t k = 0; k < stage.split.size(); ++k)
      check_target(i, at("split", k) + ".to", stage.split[k].to);
    for (std::size_t k = 0; k < stage.broadcast.size(); ++k)
      check_target(i, at("broadcast", k), stage.broadcast[k]);
    if (!stage.broadcast.empty() && !stage.next.empty())
      fail(i, {"next"}, "has no effect beside broadcast; add the stage to that list");
  }

  [[nodiscard]] bool branches_to(const StageSpec& stage, const std::string& target) const {
    return std::any_of(stage.split.begin(), stage.split.end(),
                       [&](const RouteSpec& route) { return route.to == target; }) ||
           std::find(stage.broadcast.begin(), stage.broadcast.end(), target) !=
               stage.broadcast.end();
  }

  /// A branch that says nothing would run into the next branch.
  void check_fall_through(std::size_t i) {
    if (!spec_.stages[i].next.empty() || !spec_.stages[i].split.empty() ||
        !spec_.stages[i].broadcast.empty() || i + 1 >= spec_.stages.size()) {
      return;
    }
    for (const auto& stage : spec_.stages) {
      if (!branches_to(stage, names_[i]) || !branches_to(stage, names_[i + 1])) continue;
      fail(i, {"next"},
           "the stage below, " + names_[i + 1] + ", is another branch of " + stage.name +
               "; write next: output, or the stage where the branches meet");
    }
  }

  LoadContext& context_;
  const Node& list_;
  const PipelineSpec& spec_;
  const JsonTasks& tasks_;
  std::vector<std::string> names_ = {};
};

}  // namespace

void check_stages(LoadContext& context, const Node& list, const PipelineSpec& spec,
                  const JsonTasks& tasks) {
  StageCheck(context, list, spec, tasks).run();
}

}  // namespace espalier::pipeline::internal
