#include "espalier/supervisor/scheduler/scheduler_clock.hpp"
#include "libsupervisor/scheduler/scheduler_fixture.hpp"

#include <caf/all.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <vector>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;

TEST(SchedulerClock, MessagesComeInTheOrderOfTheirTimesAndNoneTooEarly) {
  std::mutex mutex;
  std::vector<int> came;
  std::atomic<int> early = 0;
  ScheduledSystem on;
  const auto receiver = on.system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    const auto begin = self->clock().now();
    for (const int ms : {40, 10, 30, 20})
      self->delayed_send(self, std::chrono::milliseconds{ms}, ms);
    return {[&, self, begin](int ms) {
      if (self->clock().now() < begin + std::chrono::milliseconds{ms}) ++early;
      const std::lock_guard lock{mutex};
      came.push_back(ms);
    }};
  });
  EXPECT_TRUE(comes_true([&] {
    const std::lock_guard lock{mutex};
    return came.size() == 4;
  }));
  EXPECT_EQ(came, (std::vector{10, 20, 30, 40}));
  EXPECT_EQ(early, 0);
}

TEST(SchedulerClock, ThousandsAtOnceAllCome) {
  std::atomic<int> came = 0;
  ScheduledSystem on;
  constexpr int actors = 20;
  constexpr int each = 500;
  std::vector<caf::actor> all;
  for (int i = 0; i < actors; ++i) {
    all.push_back(on.system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
      for (int k = 0; k < each; ++k)
        self->delayed_send(self, std::chrono::milliseconds{k % 7}, k);
      return {[&](int) { ++came; }};
    }));
  }
  EXPECT_TRUE(comes_true([&] { return came == actors * each; }));
}

TEST(SchedulerClock, AReceiveTimeOutComesAgainAndStopsWithItsActor) {
  std::atomic<int> silent = 0;
  std::atomic<bool> ended = false;
  ScheduledSystem on;
  on.system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->attach_functor([&](const caf::error&) { ended = true; });
    return {[](int) {}, caf::after(2ms) >>
                            [&, self] {
                              if (++silent == 3) self->quit();
                            }};
  });
  EXPECT_TRUE(comes_true([&] { return ended.load(); }));
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(silent, 3);
}

TEST(SchedulerClock, ARequestThatNobodyAnswersTimesOut) {
  std::atomic<bool> timed_out = false;
  ScheduledSystem on;
  const auto silent = on.system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](int) { return self->make_response_promise<int>(); }};
  });
  on.system.spawn([&, silent](caf::event_based_actor* self) {
    self->request(silent, 5ms, 1)
        .then([](int) {},
              [&](const caf::error& why) { timed_out = why == caf::sec::request_timeout; });
  });
  EXPECT_TRUE(comes_true([&] { return timed_out.load(); }));
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}

// A timer holds its receiver; the end of the system lets go of both.
TEST(SchedulerClock, TheEndDoesNotWaitForTimers) {
  const auto begin = std::chrono::steady_clock::now();
  {
    ScheduledSystem on;
    on.system.spawn<caf::hidden>([](caf::event_based_actor* self) -> caf::behavior {
      self->delayed_send(self, 1h, 1);
      return {[](int) {}};
    });
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

}  // namespace
}  // namespace espalier::supervisor::testing
