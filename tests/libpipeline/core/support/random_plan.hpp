#pragma once

#include "espalier/pipeline/core/flow.hpp"
#include "libpipeline/core/support/script_kernel.hpp"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline::testing {

/// What the items of a walk carry: the numbers of the fed items they came of.
struct Load {
  std::vector<int> ids = {};
};

/// What a node of a random plan does with its items.
enum class Role : std::uint8_t { pass, filter, split, broadcast, flat_map, batch, window, sink };

struct RandomPlan {
  Plan plan = {};
  std::vector<Role> roles = {};
  std::string text = {};  ///< For the message of a test that failed.
};

class PlanMaker {
 public:
  explicit PlanMaker(std::mt19937_64& random) : random_(random) {}

  RandomPlan make() {
    while (true) {
      RandomPlan made;
      const auto nodes = 1 + below(6);
      for (std::size_t i = 0; i < nodes; ++i)
        add(made, i, nodes);
      whole(made.plan.options);
      if (check(made.plan).empty()) {
        made.text += to_dot(made.plan);
        return made;
      }
    }
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  NodeId later(std::size_t i, std::size_t nodes) {
    const auto next = i + 1 + below(nodes - i);
    return next >= nodes ? output_node : static_cast<NodeId>(next);
  }

  void add(RandomPlan& made, std::size_t i, std::size_t nodes) {
    static constexpr Role roles[] = {Role::pass,     Role::pass,  Role::pass,   Role::filter,
                                     Role::split,    Role::batch, Role::window, Role::broadcast,
                                     Role::flat_map, Role::sink};
    const auto role = chance(50) ? Role::pass : roles[below(std::size(roles))];
    NodePlan node;
    node.name = "n" + std::to_string(i);
    node.kernel = std::make_shared<ScriptKernel>();
    node.next.push_back(role == Role::sink ? output_node : later(i, nodes));
    if (role == Role::split || role == Role::broadcast) node.next.push_back(later(i, nodes));
    node.one_to_one = role != Role::broadcast && role != Role::flat_map;
    if (role == Role::batch) batch(node);
    if (role == Role::window) window(node);
    options(node);
    made.text += node.name + " is role " + std::to_string(static_cast<int>(role)) + "; ";
    made.roles.push_back(role);
    made.plan.nodes.push_back(std::move(node));
  }

  void batch(NodePlan& node) {
    node.kind = NodeKind::batch;
    if (chance(70)) node.batch.count = 1 + below(6);
    if (chance(30) || node.batch.count == 0) node.batch.time = milliseconds{1 + below(20)};
    if (chance(20)) {
      node.batch.bytes = 1 + below(5);
      if (chance(50)) node.batch.time = {};
      node.size_of = [](const Value& v) { return v.as<Load>().ids.size(); };
    }
  }

  void window(NodePlan& node) {
    node.kind = NodeKind::window;
    if (chance(20)) {
      node.window.time = milliseconds{1 + below(20)};
    } else {
      node.window.size = 1 + below(5);
      node.window.step = below(7);
    }
  }

  void options(NodePlan& node) {
    auto& o = node.options;
    o.workers = static_cast<std::uint32_t>(1 + below(3));
    if (chance(70)) o.capacity = 1 + below(8);
    if (chance(20)) o.order = Order::input;
    if (chance(20)) {
      o.order = Order::by_key;
      node.key = [](const Value& v) { return static_cast<std::uint64_t>(v.as<Load>().ids[0] % 3); };
    }
    if (chance(50)) o.retry.attempts = static_cast<std::uint32_t>(1 + below(4));
    if (chance(50)) o.retry.scope = RetryScope::per_stage;
    o.retry.backoff.initial = milliseconds{below(10)};
    o.retry.backoff.max = milliseconds{20};
    if (chance(20)) o.retry.give_up_after = milliseconds{below(30)};
    if (chance(20)) o.timeout = milliseconds{1 + below(10)};
    if (chance(10))
      o.rate = {static_cast<double>(50 + below(1000)), 1.0 + static_cast<double>(below(5))};
    if (chance(10)) {
      o.breaker = BreakerOptions{
          0.5, 6, 3, milliseconds{below(30)}, static_cast<std::uint32_t>(1 + below(2)), chance(50)};
    }
    if (chance(10)) o.adaptive = AdaptiveOptions{1, 4, milliseconds{5}};
    if (chance(10)) o.aging = milliseconds{1};
    if (chance(30)) o.batch_limit = 1 + below(4);
  }

  void whole(PipelineOptions& o) {
    static constexpr Overflow overflows[] = {Overflow::block, Overflow::reject,
                                             Overflow::drop_oldest};
    o.overflow = overflows[below(3)];
    if (chance(20)) o.item_deadline = milliseconds{1 + below(50)};
    if (chance(50)) o.output_capacity = 1 + below(10);
    if (chance(40)) o.output_order = Order::input;
    o.seed = random_();
  }

  std::mt19937_64& random_;
};

/// A plan in which check() finds nothing.
inline RandomPlan random_plan(std::mt19937_64& random) {
  return PlanMaker(random).make();
}

}  // namespace espalier::pipeline::testing
