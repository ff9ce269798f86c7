#include <espalier/async.hpp>
#include <espalier/supervisor.hpp>

#include <atomic>
#include <iostream>
#include <thread>

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

int main() {
  std::atomic<int> rounds = 0;
  sv::ChildFactories factories;
  sv::add_async(factories, "poll",
                [&rounds](sv::AsyncContext& self) -> boost::asio::awaitable<void> {
                  if (self.path() == "/poll7" && self.generation() == 1)
                    throw std::runtime_error("unlucky");
                  for (;;) {
                    ++rounds;
                    co_await self.sleep(100ms);  // Ends early when the supervisor wants us to stop.
                  }
                });

  // A thousand that wait cost no thread.
  sv::SupervisorSpec tree;
  for (int i = 0; i < 1000; ++i) {
    tree.children.push_back(
        {.name = "poll" + std::to_string(i), .kind = sv::ChildKind::async, .factory = "poll"});
  }
  const auto handle = sv::Supervisor::start(tree, factories);
  if (!handle) return std::cerr << handle.error().message << '\n', 1;
  std::this_thread::sleep_for(1s);
  std::cout << "1000 coroutines went round " << rounds << " times" << std::endl;
  if (const auto why = handle->why("/poll7")) std::cout << why->sentence << std::endl;
  const auto result = handle->shutdown({"main", "the example is over"});
  return result && result->report.reconcile.clean() && rounds > 1000 ? 0 : 1;
}
