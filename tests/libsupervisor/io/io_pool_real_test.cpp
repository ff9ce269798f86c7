#include "espalier/supervisor/io/async_function.hpp"
#include "espalier/supervisor/io/io_pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>

namespace espalier::supervisor::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Counts itself while it lives.
class Trace {
 public:
  explicit Trace(std::atomic<int>& alive) : alive_(&alive) { ++*alive_; }
  Trace(Trace&& other) noexcept : alive_(std::exchange(other.alive_, nullptr)) {}
  Trace(const Trace& other) : alive_(other.alive_) { ++*alive_; }
  Trace& operator=(const Trace&) = delete;
  ~Trace() {
    if (alive_) --*alive_;
  }

 private:
  std::atomic<int>* alive_;
};

asio::awaitable<void> wait_long(Trace) {
  asio::steady_timer timer{co_await asio::this_coro::executor, 1h};
  co_await timer.async_wait(asio::use_awaitable);
}

TEST(IoPool, RunsOnNamedThreads) {
  IoPool pool{1, "espalier-test"};
  std::promise<std::string> name;
  asio::post(*pool.context(), [&] {
    std::array<char, 16> text = {};
    ::pthread_getname_np(::pthread_self(), text.data(), text.size());
    name.set_value(text.data());
  });
  EXPECT_EQ(name.get_future().get(), "espalier-test-0");
}

TEST(IoPool, EndsAtOnceAndDestroysWhatWaits) {
  std::atomic<int> alive = 0;
  IoPool pool{2, "test"};
  for (int i = 0; i < 100; ++i)
    asio::co_spawn(asio::make_strand(*pool.context()), wait_long(Trace{alive}), asio::detached);
  EXPECT_EQ(alive, 100);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(pool.end(10s));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  EXPECT_EQ(alive, 0);
  EXPECT_TRUE(pool.end(10s));
}

TEST(IoPool, WhatOutlivesThePoolDoesNoHarm) {
  std::shared_ptr<asio::io_context> context;
  std::unique_ptr<asio::steady_timer> timer;
  bool ran = false;
  {
    IoPool pool{1, "test"};
    context = pool.context();
    timer = std::make_unique<asio::steady_timer>(asio::make_strand(*context), 1h);
    timer->async_wait([&ran](const boost::system::error_code&) { ran = true; });
  }
  asio::post(*context, [&ran] { ran = true; });
  timer->cancel();
  timer.reset();
  context.reset();
  EXPECT_FALSE(ran);
}

TEST(IoPool, AThrowingHandlerEndsNothing) {
  IoPool pool{1, "test"};
  asio::post(*pool.context(), [] { throw std::runtime_error("oops"); });
  std::promise<void> ran;
  asio::post(*pool.context(), [&] { ran.set_value(); });
  EXPECT_EQ(ran.get_future().wait_for(10s), std::future_status::ready);
}

TEST(IoPool, AThreadThatIsKeptIsLeftAloneAndCleansUpLater) {
  std::promise<void> entered;
  std::promise<void> release;
  std::atomic<int> alive = 0;
  {
    IoPool pool{1, "test"};
    asio::co_spawn(*pool.context(), wait_long(Trace{alive}), asio::detached);
    asio::post(*pool.context(), [&entered, let = release.get_future().share()] {
      entered.set_value();
      let.wait();
    });
    entered.get_future().wait();
    EXPECT_FALSE(pool.end(20ms));
    EXPECT_FALSE(pool.end(20ms));
  }
  EXPECT_EQ(alive, 1);
  release.set_value();
  for (int i = 0; i < 1000 && alive > 0; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(alive, 0);
}

TEST(AsyncFunctions, AreFoundByKindAndName) {
  ChildFactories factories;
  add_async(factories, "a", [](AsyncContext&) -> asio::awaitable<void> { co_return; });
  EXPECT_NE(factories.find(ChildKind::async, "a"), nullptr);
  EXPECT_EQ(factories.find(ChildKind::blocking, "a"), nullptr);
  EXPECT_THROW(add_async(factories, "a", {}), std::invalid_argument);
}

}  // namespace
}  // namespace espalier::supervisor::testing
