// Goes on where it was stopped: a checkpoint in memory remembers how far each item came, and the
// second run begins each at the stage after that.
#include <espalier/pipeline.hpp>

#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pipeline = espalier::pipeline;

namespace {

struct Order {
  std::string id = {};
  int paid = 0;
  int shipped = 0;
};

// What is known of each order: its last state, and the stage that it needs next.
struct Checkpoint {
  std::map<std::string, std::pair<Order, std::string>> orders = {};
};

auto shop(Checkpoint& checkpoint, bool power_cut) {
  return pipeline::from<Order>()
      .stage("pay",
             [](Order order) {
               ++order.paid;
               return order;
             },
             {.on_success =
                  [&](const pipeline::ItemView&, const Order& order) {
                    checkpoint.orders[order.id] = {order, "ship"};
                  }})
      .stage("ship",
             [power_cut](Order order) {
               if (power_cut) throw std::runtime_error("no power");
               ++order.shipped;
               return order;
             },
             {.on_success = [&](const pipeline::ItemView&,
                                const Order& order) { checkpoint.orders.erase(order.id); }})
      .build();
}

}  // namespace

int main() {
  Checkpoint checkpoint;
  {
    auto first = shop(checkpoint, true);
    const auto results = first.run({Order{"a"}, Order{"b"}});
    std::cout << "first run: " << first.counts().failed << " of " << results.size() << " failed\n";
  }
  auto second = shop(checkpoint, false);
  second.start();
  const auto left = checkpoint.orders;
  for (const auto& [id, state] : left)
    second.feed_to(state.second, state.first, {.id = id});
  second.drain();
  for (const auto& result : second.results())
    std::cout << result.id() << ": paid " << result->paid << "x, shipped " << result->shipped
              << "x\n";
}
