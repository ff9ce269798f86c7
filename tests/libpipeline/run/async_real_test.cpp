#include "espalier/pipeline/run/async_context.hpp"
#include "espalier/pipeline/run/internal/async_lane.hpp"
#include "libpipeline/run/pipes.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <stdexcept>

namespace espalier::pipeline::testing {
namespace {

namespace asio = boost::asio;

Duration cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

/// Waits with a timer for each item, on the lane's thread; a stop cuts the wait short.
class WaitKernel final : public AsyncKernel {
 public:
  explicit WaitKernel(Duration time) : time_(time) {}
  bool run(std::span<Item>, RunContext&) override { return false; }
  void start(Item& item, RunContext& context, std::function<void()> done) override {
    most_ = std::max(most_, ++waiting_);
    const auto wait = std::make_shared<Wait>(*async_context());
    wait->timer.expires_after(time_);
    wait->timer.async_wait(
        [this, &item, wait, done = std::move(done)](const boost::system::error_code& error) {
          wait->stop.reset();
          --waiting_;
          item.verdict = error ? Verdict::fail : Verdict::pass;
          if (error) {
            item.failure = std::make_unique<Failure>();
            item.failure->message = "stopped";
          }
          done();
        });
    wait->stop.emplace(context.stop_token(), Cut{async_context(), wait});
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }
  [[nodiscard]] std::size_t most() const { return most_; }

 private:
  struct Wait;
  struct Cut {
    asio::io_context* context;
    std::weak_ptr<Wait> wait;
    void operator()() const {  // On any thread, so it goes to that of the timer.
      asio::post(*context, [wait = wait] {
        if (const auto still = wait.lock()) still->timer.cancel();
      });
    }
  };
  struct Wait {
    explicit Wait(asio::io_context& context) : timer(context) {}
    asio::steady_timer timer;
    std::optional<std::stop_callback<Cut>> stop;
  };
  const Duration time_;
  std::size_t waiting_ = 0;
  std::size_t most_ = 0;
  std::vector<std::string> tasks_ = {"wait"};
};

NodePlan waiting_stage(std::shared_ptr<AsyncKernel> kernel, std::uint32_t at_once) {
  NodePlan node;
  node.name = "wait";
  node.kernel = std::move(kernel);
  node.async = true;
  node.options.workers = at_once;
  node.options.capacity = at_once;
  return node;
}

TEST(AsyncLane, ManyItemsWaitAtOnceWithoutAThreadEach) {
  constexpr std::uint64_t count = 100'000;
  const auto kernel = std::make_shared<WaitKernel>(10ms);
  PipelineOptions options;
  options.output_capacity = 10'000;
  Runner runner(line({waiting_stage(kernel, 10'000)}, options), {});
  const auto begin = Clock::now();
  const auto cpu = cpu_time();
  EXPECT_EQ(run(runner, numbers(count)).values.size(), count);
  const auto spent = cpu_time() - cpu;
  const auto time = Clock::now() - begin;
  std::printf("10,000 at once, 10 ms each: %.0f items/s, %.0f ns CPU an item\n",
              static_cast<double>(count) / std::chrono::duration<double>(time).count(),
              static_cast<double>(spent.count()) / static_cast<double>(count));
  EXPECT_GT(kernel->most(), 5'000U);
  EXPECT_LT(time, 100s) << "one after the other takes 1000 s";
}

TEST(AsyncLane, CoroutinesAndThreadsMakeOnePipeline) {
  const auto kernel = std::make_shared<WaitKernel>(1ms);
  Runner runner(line({stage("before", nothing()), waiting_stage(kernel, 100),
                      stage("after", nothing()), waiting_stage(kernel, 100)}),
                {});
  EXPECT_EQ(run(runner, numbers(1000)).values.size(), 1000U);
}

TEST(AsyncLane, ATimeOutStopsTheWait) {
  const auto kernel = std::make_shared<WaitKernel>(1h);
  auto node = waiting_stage(kernel, 100);
  node.options.timeout = 20ms;
  Runner runner(line({std::move(node)}), {});
  const auto begin = Clock::now();
  const auto taken = run(runner, numbers(200));
  EXPECT_EQ(taken.errors.size(), 200U);
  EXPECT_LT(Clock::now() - begin, 5s);
}

TEST(AsyncLane, AnAbortStopsAllWaits) {
  const auto kernel = std::make_shared<WaitKernel>(1h);
  Runner runner(line({waiting_stage(kernel, 1000)}), {});
  runner.start();
  runner.feed(0, items(1000));
  ASSERT_TRUE(happens([&] {
    const auto snapshot = runner.snapshot();
    return snapshot.stages.front().in_work == 1000;
  }));
  runner.abort("enough");
  EXPECT_TRUE(runner.stop(in(5s)));
  EXPECT_EQ(runner.counts().cancelled, 1000U);
}

TEST(AsyncLane, AKernelThatThrowsAgainstItsContractFailsTheItem) {
  class Rude final : public AsyncKernel {
   public:
    bool run(std::span<Item>, RunContext&) override { return false; }
    void start(Item&, RunContext&, std::function<void()>) override {
      throw std::runtime_error("no");
    }
    [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

   private:
    std::vector<std::string> tasks_ = {"rude"};
  };
  Runner runner(line({waiting_stage(std::make_shared<Rude>(), 10)}), {});
  EXPECT_EQ(run(runner, numbers(20)).errors.size(), 20U);
}

TEST(AsyncLane, AnItemMayBeDoneOnAnyThread) {
  class Elsewhere final : public AsyncKernel {
   public:
    bool run(std::span<Item>, RunContext&) override { return false; }
    void start(Item& item, RunContext&, std::function<void()> done) override {
      item.verdict = Verdict::pass;
      std::thread(std::move(done)).detach();
    }
    [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

   private:
    std::vector<std::string> tasks_ = {"elsewhere"};
  };
  Runner runner(line({waiting_stage(std::make_shared<Elsewhere>(), 10)}), {});
  EXPECT_EQ(run(runner, numbers(200)).values.size(), 200U);
}

TEST(AsyncLane, ThereIsNoContextElsewhere) {
  EXPECT_EQ(async_context(), nullptr);
}

}  // namespace
}  // namespace espalier::pipeline::testing
