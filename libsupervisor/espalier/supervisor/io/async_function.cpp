#include "espalier/supervisor/io/async_function.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace espalier::supervisor {

boost::asio::awaitable<void> AsyncContext::sleep(Duration d) const {
  boost::asio::steady_timer timer{executor_, d};
  co_await timer.async_wait(boost::asio::use_awaitable);
  // A signal that came between two waits had nothing to cancel; it counts all the same. Looked at
  // after the wait, so that one who swallows it cannot spin.
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (state.cancelled() != boost::asio::cancellation_type::none) {
    throw boost::system::system_error(boost::asio::error::operation_aborted);
  }
}

ChildFactories& add_async(ChildFactories& factories, const std::string& name, AsyncFunction run) {
  return factories.add(ChildKind::async, name,
                       std::make_shared<const AsyncFunction>(std::move(run)));
}

}  // namespace espalier::supervisor
