#include "espalier/cli/builtins.hpp"

#include "espalier/cli/params.hpp"
#include "espalier/supervisor/core/child_context.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::cli {
namespace {

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;
using testing::HasSubstr;

using Values = std::map<std::string, std::string>;

/// Time passes at once: a sleep is only added up, and the stop comes when `stop_after` is reached.
class FakeContext final : public sv::ChildContext {
 public:
  explicit FakeContext(std::map<std::string, std::string> params, sv::Duration stop_after = 1h)
      : params_(std::move(params)), stop_after_(stop_after) {}
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] std::uint64_t generation() const override { return generation_; }
  [[nodiscard]] std::uint64_t attempt() const override { return 1; }
  [[nodiscard]] const std::map<std::string, std::string>& params() const override {
    return params_;
  }
  [[nodiscard]] bool stop_requested() const override { return slept_ >= stop_after_; }
  [[nodiscard]] std::stop_token stop_token() const override { return {}; }
  bool sleep_for(sv::Duration d) override {
    slept_ += d;
    return !stop_requested();
  }
  [[nodiscard]] sv::Duration heartbeat_interval() const override { return {}; }
  void request_restart(const std::string&) override {}
  void request_tree_shutdown(const std::string&) override {}
  void report_ready() override { ready_at_ = slept_; }
  void report_alive() override { ++alive_; }
  void report_status(const std::string& text) override { status_ = text; }

  std::uint64_t generation_ = 1;
  sv::Duration slept_ = {};
  std::optional<sv::Duration> ready_at_ = {};
  int alive_ = 0;
  std::string status_ = {};

 private:
  std::string path_ = "/x";
  std::map<std::string, std::string> params_;
  sv::Duration stop_after_;
};

void run(const std::string& name, FakeContext& context) {
  const sv::ChildFactories factories = builtin_factories();
  const sv::BlockingFunction* const function = factories.find_blocking(name);
  ASSERT_NE(function, nullptr) << name;
  (*function)(context);
}

/// What the child fails with; fails the test if it does not fail.
sv::ChildFailure failure_of(const std::string& name, FakeContext& context) {
  try {
    run(name, context);
  } catch (const sv::ChildFailure& failure) {
    return failure;
  }
  ADD_FAILURE() << name << " did not fail";
  return {sv::FailureCategory::none, ""};
}

TEST(Builtins, AreAllThere) {
  EXPECT_THAT(
      builtin_factories().names(),
      testing::ElementsAre("builtin.actor.flaky", "builtin.actor.idle", "builtin.actor.ticker",
                           "builtin.async.idle", "builtin.async.ticker", "builtin.crash",
                           "builtin.flaky", "builtin.idle", "builtin.pipeline",
                           "builtin.slow_start", "builtin.stubborn", "builtin.ticker"));
}

TEST(Builtins, IdleIsReadyAndReturnsWhenStopped) {
  FakeContext context({});
  run("builtin.idle", context);
  EXPECT_EQ(context.ready_at_, 0s);
  EXPECT_TRUE(context.stop_requested());
}

TEST(Builtins, TickerReportsAtEachInterval) {
  FakeContext context(Values{{"interval", "250ms"}, {"text", "dropped"}}, 1s);
  run("builtin.ticker", context);
  EXPECT_EQ(context.status_, "dropped 3");
  EXPECT_EQ(context.alive_, 3);
}

TEST(Builtins, SlowStartIsReadyAfterItsDelay) {
  FakeContext context(Values{{"delay", "1.5s"}});
  run("builtin.slow_start", context);
  EXPECT_EQ(context.ready_at_, 1500ms);
}

TEST(Builtins, SlowStartThatIsStoppedWhileStartingIsNeverReady) {
  FakeContext context(Values{{"delay", "5s"}}, 1s);
  run("builtin.slow_start", context);
  EXPECT_EQ(context.ready_at_, std::nullopt);
}

TEST(Builtins, FlakyFailsAfterAFixedTimeAsItIsTold) {
  FakeContext context(
      Values{{"after", "3s"}, {"category", "external_dependency"}, {"message", "dry"}});
  const sv::ChildFailure failure = failure_of("builtin.flaky", context);
  EXPECT_EQ(failure.category(), sv::FailureCategory::external_dependency);
  EXPECT_STREQ(failure.what(), "dry");
  EXPECT_EQ(context.slept_, 3s);
}

TEST(Builtins, FlakyReturnsWhenItIsStoppedFirst) {
  FakeContext context(Values{{"after", "3s"}}, 1s);
  EXPECT_NO_THROW(run("builtin.flaky", context));
}

TEST(Builtins, FlakyOfCategoryPanicThrowsWhatNobodyExpects) {
  FakeContext context(Values{{"after", "1s"}, {"category", "panic"}});
  try {
    run("builtin.flaky", context);
    FAIL() << "did not throw";
  } catch (const sv::ChildFailure&) {
    FAIL() << "a panic is no ChildFailure";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("schedule"));
  }
}

TEST(Builtins, FlakyLivesAreDrawnFromTheSeedAndTheGeneration) {
  const auto life = [](const std::string& seed, std::uint64_t generation) {
    FakeContext context(Values{{"seed", seed}, {"mean", "10s"}}, 1000h);
    context.generation_ = generation;
    static_cast<void>(failure_of("builtin.flaky", context));
    return context.slept_;
  };
  EXPECT_EQ(life("7", 1), life("7", 1));
  EXPECT_NE(life("7", 1), life("7", 2));
  EXPECT_NE(life("7", 1), life("8", 1));
  sv::Duration sum = {};
  for (std::uint64_t i = 1; i <= 400; ++i)
    sum += life("7", i);
  EXPECT_NEAR(std::chrono::duration<double>(sum).count() / 400, 10.0, 1.5);
}

TEST(Builtins, StubbornStaysForAsLongAsItIsTold) {
  FakeContext context(Values{{"for", "20ms"}}, 1s);
  const auto begin = std::chrono::steady_clock::now();
  run("builtin.stubborn", context);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
}

TEST(Builtins, RefuseParametersTheyDoNotKnow) {
  for (const char* name : {"builtin.idle", "builtin.ticker", "builtin.flaky", "builtin.stubborn",
                           "builtin.slow_start"}) {
    FakeContext context(Values{{"intervall", "1s"}});
    const sv::ChildFailure failure = failure_of(name, context);
    EXPECT_EQ(failure.category(), sv::FailureCategory::fatal_config) << name;
    EXPECT_THAT(failure.what(), HasSubstr("'intervall'")) << name;
    EXPECT_THAT(failure.what(), HasSubstr(name));
  }
}

TEST(Builtins, RefuseValuesThatMakeNoSenseAndSayWhatWould) {
  const auto message = [](const std::string& name, std::map<std::string, std::string> params) {
    FakeContext context(std::move(params));
    const sv::ChildFailure failure = failure_of(name, context);
    EXPECT_EQ(failure.category(), sv::FailureCategory::fatal_config);
    return std::string(failure.what());
  };
  EXPECT_THAT(message("builtin.ticker", {{"interval", "soon"}}), HasSubstr("250ms"));
  EXPECT_THAT(message("builtin.ticker", {{"interval", "0s"}}), HasSubstr("at least 1ms"));
  EXPECT_THAT(message("builtin.flaky", {{"seed", "-1"}}), HasSubstr("whole number"));
  EXPECT_THAT(message("builtin.flaky", {{"category", "bad luck"}}), HasSubstr("recoverable"));
  EXPECT_THAT(message("builtin.flaky", {{"mean", "1s"}, {"after", "1s"}}), HasSubstr("not both"));
  EXPECT_THAT(message("builtin.stubborn", {{"for", "ever"}}), HasSubstr("'ever'"));
}

TEST(ParseDuration, KnowsTheUnitsOfTreeFiles) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("0s"), 0s);
  for (const char* bad : {"", "5", "s", "-1s", "1 s", "1e3s", "1.2.3s", "1d", "9999999999h"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace espalier::cli
