#include "espalier/testing/test_context.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

namespace espalier::testing {
namespace {

using namespace std::chrono_literals;
using supervisor::ChildContext;
using supervisor::ChildFailure;
using supervisor::ExitKind;
using supervisor::FailureCategory;
using ::testing::HasSubstr;

TEST(TestContextTest, StopsASleepAtTheVeryInstant) {
  TestContext context;
  context.stop_after(90s);
  std::vector<bool> slept;
  const auto exit = context.run([&](ChildContext& self) {
    while (self.sleep_for(1min))
      slept.push_back(true);
  });
  EXPECT_EQ(slept.size(), 1u);
  EXPECT_EQ(context.now(), 90s);
  EXPECT_EQ(exit.kind, ExitKind::stopped);
}

TEST(TestContextTest, ReturnsCompletedWhenNobodyAskedForAStop) {
  TestContext context;
  const auto exit = context.run([](ChildContext& self) { self.sleep_for(10h); });
  EXPECT_EQ(exit.kind, ExitKind::completed);
  EXPECT_EQ(context.now(), 10h);
}

TEST(TestContextTest, KeepsReportsWithTheirTimes) {
  TestContext context;
  context.run([](ChildContext& self) {
    self.sleep_for(2s);
    self.report_ready();
    self.sleep_for(1s);
    self.report_status("pumping");
    self.report_alive();
    self.request_restart("tired");
  });
  ASSERT_EQ(context.reports().size(), 4u);
  EXPECT_EQ(context.ready_at(), 2s);
  EXPECT_EQ(context.reports()[1].text, "pumping");
  EXPECT_EQ(context.reports()[1].at, 3s);
  EXPECT_EQ(context.reports(Report::Kind::alive).size(), 1u);
  EXPECT_EQ(context.reports(Report::Kind::restart_wish).front().text, "tired");
}

TEST(TestContextTest, TellsFailuresApart) {
  TestContext context;
  const auto failed = context.run([](ChildContext&) {
    throw ChildFailure{FailureCategory::external_dependency, "no database"};
  });
  EXPECT_EQ(failed.kind, ExitKind::failed);
  EXPECT_EQ(failed.category, FailureCategory::external_dependency);
  EXPECT_EQ(failed.message, "no database");
  const auto panicked = context.run([](ChildContext&) { throw std::runtime_error{"a bug"}; });
  EXPECT_EQ(panicked.kind, ExitKind::panicked);
  EXPECT_EQ(panicked.message, "a bug");
  const auto odd = context.run([](ChildContext&) { throw 7; });
  EXPECT_EQ(odd.kind, ExitKind::panicked);
}

TEST(TestContextTest, GivesParametersAndWhoTheWorkerIs) {
  TestContext context{"/shop/till"};
  context.set_param("url", "x").set_generation(4, 3).set_heartbeat_interval(5s);
  context.run([](ChildContext& self) {
    self.report_status(self.path() + ' ' + self.params().at("url") + ' ' +
                       std::to_string(self.generation()) + std::to_string(self.attempt()));
    self.sleep_for(self.heartbeat_interval());
  });
  EXPECT_EQ(context.reports().front().text, "/shop/till x 43");
  EXPECT_EQ(context.now(), 5s);
}

TEST(TestContextTest, BeginsEachRunAnew) {
  TestContext context;
  context.stop_after(1s);
  const auto worker = [](ChildContext& self) {
    self.report_ready();
    self.sleep_for(1h);
  };
  context.run(worker);
  const auto exit = context.run(worker);
  EXPECT_EQ(exit.kind, ExitKind::stopped);
  EXPECT_EQ(context.now(), 1s);
  EXPECT_EQ(context.reports().size(), 1u);
}

TEST(TestContextTest, ReachesStopTokensAndFakesThatTakeTime) {
  TestContext context;
  context.stop_after(3s);
  int called = 0;
  context.run([&](ChildContext& self) {
    const std::stop_callback on_stop{self.stop_token(), [&called] { ++called; }};
    while (!self.stop_requested())
      context.advance(1s);  // What a fake of a slow call does.
  });
  EXPECT_EQ(called, 1);
  EXPECT_EQ(context.now(), 3s);
}

TEST(TestContextTest, EndsWorkersThatWouldNeverEndAndSaysWhy) {
  TestContext context;
  const auto endless = context.run([](ChildContext& self) {
    while (self.sleep_for(1h)) {
    }
  });
  EXPECT_THAT(endless.message, HasSubstr("call stop_after"));
  const auto busy = context.run([](ChildContext& self) {
    while (!self.stop_requested()) {
    }
  });
  EXPECT_THAT(busy.message, HasSubstr("without sleeping"));
  context.stop_after(1s);
  const auto deaf = context.run([](ChildContext& self) {
    for (;;)
      self.sleep_for(1s);
  });
  EXPECT_EQ(deaf.kind, ExitKind::panicked);
  EXPECT_THAT(deaf.message, HasSubstr("although a stop is requested"));
}

}  // namespace
}  // namespace espalier::testing
