#include "espalier/supervisor/io/async_function.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace espalier::supervisor {

boost::asio::awaitable<void> AsyncContext::sleep(Duration d) const {
  boost::asio::steady_timer timer{executor_, d};
  co_await timer.async_wait(boost::asio::use_awaitable);
}

ChildFactories& add_async(ChildFactories& factories, const std::string& name, AsyncFunction run) {
  return factories.add(ChildKind::async, name,
                       std::make_shared<const AsyncFunction>(std::move(run)));
}

}  // namespace espalier::supervisor
