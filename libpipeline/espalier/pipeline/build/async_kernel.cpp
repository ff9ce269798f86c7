#include "espalier/pipeline/build/async_kernel.hpp"

namespace asio = boost::asio;

namespace espalier::pipeline::detail {
namespace {

struct Waiter {
  const Limit& limit;
  std::uint64_t number;
  ~Waiter() { limit.forget(number); }
};

struct Running {
  asio::cancellation_signal cancel;
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
};

// A coroutine of Asio that is cancelled before its first step, or while its last one is told,
// never calls its handler. So the stop request counts only once it runs, and not when it is over.
asio::awaitable<void> stoppable(asio::awaitable<void> inner, asio::io_context& context,
                                std::shared_ptr<Running> running, std::stop_token stop) {
  running->on_stop.emplace(std::move(stop), [&context, weak = std::weak_ptr(running)] {
    asio::post(context, [weak] {
      if (const auto alive = weak.lock()) alive->cancel.emit(asio::cancellation_type::terminal);
    });
  });
  co_await std::move(inner);
  running->on_stop.reset();
  co_await asio::this_coro::throw_if_cancelled(false);
}

}  // namespace

asio::awaitable<void> wait_for_place(const Limit& limit) {
  const auto executor = co_await asio::this_coro::executor;
  const auto woken =
      std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
  while (!limit.try_acquire()) {
    // Posted, so that it comes after the wait has begun.
    const auto wake = [executor, weak = std::weak_ptr(woken)] {
      asio::post(executor, [weak] {
        if (const auto timer = weak.lock()) timer->cancel();
      });
    };
    const Waiter waiter{limit, limit.when_free(wake)};
    boost::system::error_code error;
    co_await woken->async_wait(asio::redirect_error(asio::use_awaitable, error));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted,
                                        "stopped while it waited for the limit of its task");
  }
}

void spawn_stoppable(asio::io_context& context, asio::awaitable<void> coroutine,
                     std::stop_token stop, std::function<void()> done) {
  auto running = std::make_shared<Running>();
  auto slot = running->cancel.slot();
  asio::co_spawn(context, stoppable(std::move(coroutine), context, running, std::move(stop)),
                 asio::bind_cancellation_slot(slot, [running, done = std::move(done)](
                                                        const std::exception_ptr&) { done(); }));
}

}  // namespace espalier::pipeline::detail
