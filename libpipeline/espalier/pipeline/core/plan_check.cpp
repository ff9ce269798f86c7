#include "espalier/pipeline/core/internal/plan_graph.hpp"
#include "espalier/pipeline/core/plan.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace espalier::pipeline {

namespace {

class Check {
 public:
  explicit Check(const Plan& plan) : plan_(plan), graph_(plan) {}

  std::vector<PlanError> run() {
    if (plan_.nodes.empty()) {
      say("", "the pipeline has no stage; add one");
      return std::move(found_);
    }
    if (plan_.options.output_order == Order::by_key) {
      say("", "results cannot be ordered by key; use input or completion order");
    }
    names();
    for (NodeId id = 0; id < plan_.nodes.size(); ++id) {
      const auto& node = plan_.nodes[id];
      edges(node);
      options(node);
      limits(node);
      combining(node);
      order(id);
    }
    return std::move(found_);
  }

 private:
  void say(const std::string& stage, std::string message) {
    found_.push_back({stage, std::move(message)});
  }

  void names() {
    std::set<std::string> seen;
    for (const auto& node : plan_.nodes) {
      if (node.name.empty()) say("", "a stage has no name; give it one");
      if (!node.name.empty() && !seen.insert(node.name).second) {
        say(node.name, "two stages have this name; give each its own");
      }
    }
  }

  void edges(const NodePlan& node) {
    if (!node.kernel) say(node.name, "has no task; give it one");
    if (node.next.empty()) say(node.name, "leads nowhere; connect it, or end it with a sink");
    for (const auto next : node.next) {
      if (next != output_node && next >= plan_.nodes.size()) {
        say(node.name, "leads to a stage that does not exist; connect it");
      }
    }
    const auto id = static_cast<NodeId>(&node - plan_.nodes.data());
    if (graph_.is_on_cycle(id)) {
      say(node.name, "is part of a cycle, in which items could go round for ever; remove one edge");
    }
  }

  void options(const NodePlan& node) {
    const auto& options = node.options;
    if (options.workers == 0) say(node.name, "has no workers; give it at least 1");
    if (options.retry.attempts == 0) say(node.name, "attempts is 0; 1 means no retry");
    if (options.timeout < Duration::zero()) say(node.name, "its timeout is below zero");
    if (options.order == Order::by_key && !node.key) {
      say(node.name, "is ordered by key, but there is no function that gives the key");
    }
  }

  void limits(const NodePlan& node) {
    const auto& rate = node.options.rate;
    if (!(rate.per_second >= 0)) say(node.name, "its rate is below zero; zero means no limit");
    for (const auto& other : plan_.nodes) {
      if (rate.shared_as.empty() || other.options.rate.shared_as != rate.shared_as) continue;
      if (other.options.rate == rate) break;
      say(node.name, "shares the rate '" + rate.shared_as + "' with '" + other.name +
                         "', but not its numbers; write the same for both");
      break;
    }
    if (node.options.breaker) {
      const auto threshold = node.options.breaker->threshold;
      if (!(threshold > 0 && threshold <= 1)) {
        say(node.name, "its circuit breaker's threshold must be above 0 and at most 1");
      }
      if (node.options.breaker->window == 0) {
        say(node.name, "its circuit breaker's window must be at least 1");
      }
    }
    if (!node.options.adaptive) return;
    const auto& adaptive = *node.options.adaptive;
    if (adaptive.min > adaptive.max) say(node.name, "adaptive: min is above max");
    if (adaptive.min == 0) say(node.name, "adaptive: min must be at least 1");
    if (adaptive.every <= Duration::zero()) say(node.name, "adaptive: every must be above zero");
  }

  void combining(const NodePlan& node) {
    if (node.kind == NodeKind::batch) {
      const auto& batch = node.batch;
      if (batch.count == 0 && batch.bytes == 0 && batch.time <= Duration::zero()) {
        say(node.name, "its batches have no limit; set count, time or bytes");
      }
      if (batch.bytes > 0 && !node.size_of) {
        say(node.name, "limits bytes, but there is no function that gives the size of an item");
      }
    }
    const auto& window = node.window;
    if (node.kind == NodeKind::window && window.size == 0 && window.time <= Duration::zero()) {
      say(node.name, "its windows have the size 0; set size or time");
    }
  }

  // Behind what makes several of one, or one of several, a sequence number is no place any more.
  void order(NodeId id) {
    const auto& node = plan_.nodes[id];
    const bool ordered = node.options.order == Order::input;
    if (node.options.order != Order::completion && node.kind != NodeKind::task) {
      say(node.name, "batches and windows take items as they come; order the stage before it");
    }
    for (NodeId other = 0; other < plan_.nodes.size(); ++other) {
      if (plan_.nodes[other].one_to_one && plan_.nodes[other].kind == NodeKind::task) continue;
      if (ordered && other != id && graph_.reaches(other, id)) {
        say(node.name, "cannot be in input order behind '" + plan_.nodes[other].name +
                           "', which multiplies or combines items");
      }
    }
    const bool changes = !node.one_to_one || node.kind != NodeKind::task;
    if (plan_.options.output_order == Order::input && changes) {
      say(node.name,
          "multiplies or combines items, so that results cannot come in input order; use "
          "completion order");
    }
  }

  const Plan& plan_;
  PlanGraph graph_;
  std::vector<PlanError> found_ = {};
};

}  // namespace

std::vector<PlanError> check(const Plan& plan) {
  return Check(plan).run();
}

}  // namespace espalier::pipeline
