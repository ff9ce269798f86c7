// Several tasks in one stage, run one after the other by the same worker; the one that fails is
// tried again alone (per_task) or with those before it (per_stage).
#include <espalier/pipeline.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

namespace {

struct Calls {
  std::atomic<int> opened = 0;
  std::atomic<int> sent = 0;
};

int run(pipeline::RetryScope scope, Calls& calls) {
  const auto open = [&](const int& x) {
    ++calls.opened;
    return x + 1;
  };
  const auto send = [&](const int& x) {
    if (++calls.sent < 3) throw std::runtime_error("the line is busy");
    return x * 10;
  };
  auto retry = pipeline::fixed(3, 1ms);
  retry.scope = scope;
  auto post =
      pipeline::from<int>()
          .stage("post",
                 pipeline::tasks(pipeline::task("open", open), pipeline::task("send", send)),
                 {.retry = retry})
          .build();
  return *post.run({1}).front();
}

}  // namespace

int main() {
  for (const auto scope : {pipeline::RetryScope::per_task, pipeline::RetryScope::per_stage}) {
    Calls calls;
    const int result = run(scope, calls);
    std::cout << (scope == pipeline::RetryScope::per_task ? "per task: " : "per stage: ") << result
              << ", opened " << calls.opened << "x, sent " << calls.sent << "x\n";
  }
}
