// Single calls on a pool: one after the other in input order, as they come, and waiting for some.
#include <espalier/pipeline.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

namespace {

int square(const int& x) {
  std::this_thread::sleep_for(x == 3 ? 100ms : 1ms);
  return x * x;
}

int fail(const int& x) {
  if (x == 2) throw std::runtime_error("two is not allowed");
  std::this_thread::sleep_for(200ms);
  return x;
}

}  // namespace

int main() {
  pipeline::Executor pool({.workers = 4});
  const std::vector<int> numbers{3, 1, 2};

  std::cout << "map, in the order of the input:";
  for (const int x : pool.map(square, numbers))
    std::cout << ' ' << x;

  std::cout << "\nas completed, the slow one last:";
  std::vector<pipeline::Future<int>> futures;
  for (const int x : numbers)
    futures.push_back(pool.submit(square, x));
  int last = 0;
  for (const auto& future : pipeline::as_completed(futures))
    last = future.get();
  std::cout << ' ' << last;

  std::cout << "\nonly the first two of a thousand:";
  int taken = 0;
  for (const int x : pool.map_iter(square, std::vector<int>(1000, 2))) {
    std::cout << ' ' << x;
    if (++taken == 2) break;
  }

  std::vector<pipeline::Future<int>> risky;
  for (const int x : {1, 2, 3})
    risky.push_back(pool.submit(fail, x));
  const auto until_one_failed = pipeline::wait(risky, pipeline::WaitFor::first_error);
  std::cout << "\nuntil one failed: " << until_one_failed.done.size() << " over, "
            << until_one_failed.not_done.size() << " not";
  const auto looked = pipeline::wait(risky, pipeline::WaitFor::all, 0s);
  std::cout << "\njust looked: " << looked.not_done.size() << " not over";
  const auto all = pipeline::wait(risky);
  std::cout << "\nall: " << all.done.size() << " over\n";

  int attempts = 0;
  const auto third = pool.submit({.retries = 2, .delay = 1ms}, [&attempts] {
    if (++attempts < 3) throw std::runtime_error("not yet");
    return attempts;
  });
  std::cout << "with retries: attempt " << third.get() << '\n';
}
