#include "espalier/cli/crash.hpp"

#include "espalier/cli/params.hpp"

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

// Volatile: a compiler that sees what happens here may leave it out.
int* volatile nowhere = nullptr;
volatile bool enough = false;

void segfault() {
  *nowhere = 1;
}

int stack_overflow(int depth) {
  volatile char frame[1024] = {};
  frame[depth % 1024] = 1;
  if (enough) return depth;
  return stack_overflow(depth + 1) + frame[0];
}

void overflow_stack() {
  stack_overflow(0);
}

void loop() {
  while (!enough) {
  }
}

void allocate() {
  constexpr std::size_t block = std::size_t{16} << 20U;
  for (std::vector<std::unique_ptr<char[]>> all; !enough;)
    all.push_back(std::make_unique<char[]>(block));
}

void leave() {
  std::exit(7);
}

}  // namespace

void run_crash(sv::ChildContext& context) {
  static const std::map<std::string, void (*)()> ways{
      {"segfault", segfault}, {"stack_overflow", overflow_stack},
      {"abort", std::abort},  {"loop", loop},
      {"allocate", allocate}, {"exit", leave}};
  const Params params("builtin.crash", context.params(), {"how", "after"});
  const auto how = params.text("how", "segfault");
  const auto way = ways.find(how);
  if (way == ways.end()) {
    throw sv::ChildFailure(
        sv::FailureCategory::fatal_config,
        "builtin.crash: parameter 'how' is '" + how +
            "'; it may be segfault, stack_overflow, abort, loop, allocate, exit");
  }
  const auto after = params.duration("after", sv::Duration::zero());
  context.report_ready();
  if (context.sleep_for(after)) way->second();
}

}  // namespace espalier::cli
