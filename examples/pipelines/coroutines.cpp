// Ten thousand waits at once without a thread for each: a stage of coroutines.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <espalier/pipeline.hpp>
#include <espalier/pipeline_async.hpp>

#include <chrono>
#include <iostream>
#include <numeric>
#include <vector>

namespace asio = boost::asio;
namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

namespace {

asio::awaitable<int> ask_a_slow_server(const int& x) {
  asio::steady_timer timer(co_await asio::this_coro::executor, 100ms);
  co_await timer.async_wait(asio::use_awaitable);
  co_return x + 1;
}

}  // namespace

int main() {
  auto ask = pipeline::from<int>()
                 .stage("ask", ask_a_slow_server, {.workers = 10'000, .timeout = 30s})
                 .build();
  std::vector<int> items(10'000);
  std::iota(items.begin(), items.end(), 0);
  const auto begin = std::chrono::steady_clock::now();
  const auto results = ask.run(items);
  const auto took = std::chrono::steady_clock::now() - begin;
  long sum = 0;
  for (const auto& result : results)
    sum += *result;
  // One after the other they would take a thousand seconds.
  std::cout << results.size() << " answers, sum " << sum
            << ", in less than 20 s: " << (took < 20s ? "yes" : "no") << '\n';
}
