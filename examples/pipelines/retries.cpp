// What can go wrong at a stage, and what becomes of it: retries with a predicate, a time-out, a
// rate limit and a circuit breaker.
#include <espalier/pipeline.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <vector>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

namespace {

class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void retry_only_what_may_pass() {
  std::atomic<int> calls = 0;
  auto retry = pipeline::exponential(5, 1ms, 5ms);
  retry.retry_if = [](const pipeline::Failure& failure) {
    return failure.type != "std::logic_error";
  };
  auto ask = pipeline::from<int>()
                 .stage("ask",
                        [&](const int& x) -> int {
                          ++calls;
                          if (x == 0) throw std::logic_error("wrong question");
                          throw Refused("come back later");
                        },
                        {.retry = retry})
                 .build();
  const auto results = ask.run({0, 1});
  for (const auto& result : results)
    std::cout << result.failure()->message << ": " << result.failure()->attempts << " attempts\n";
  std::cout << "calls in all: " << calls << '\n';
}

void end_what_takes_too_long() {
  auto wait = pipeline::from<int>()
                  .stage("wait",
                         [](const int& x, pipeline::TaskContext& self) {
                           self.sleep_for(10s);  // Ends at once when the time is over.
                           return x;
                         },
                         {.timeout = 20ms})
                  .build();
  const auto results = wait.run({1});
  const bool timed_out = results.front().failure()->kind == pipeline::Failure::Kind::timed_out;
  std::cout << "timed out: " << (timed_out ? "yes" : "no") << '\n';
}

void stop_asking_a_service_that_is_down() {
  std::atomic<int> calls = 0;
  const pipeline::BreakerOptions breaker{.window = 10, .minimum = 5, .open_for = 1h};
  auto ask = pipeline::from<int>()
                 .stage("ask",
                        [&](const int&) -> int {
                          ++calls;
                          throw Refused("down");
                        },
                        {.breaker = breaker})
                 .build();
  int refused = 0;
  for (const auto& result : ask.run(std::vector<int>(100, 1)))
    refused += result.failure()->kind == pipeline::Failure::Kind::circuit_open ? 1 : 0;
  // Five failures open it; calls that are under way then still come back.
  const bool spared = refused == 100 - calls && refused >= 90;
  std::cout << "the breaker spared it at least 90 of 100 calls: " << (spared ? "yes" : "no")
            << '\n';
}

}  // namespace

int main() {
  retry_only_what_may_pass();
  end_what_takes_too_long();
  stop_asking_a_service_that_is_down();
}
