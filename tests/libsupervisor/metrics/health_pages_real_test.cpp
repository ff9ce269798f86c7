#include "espalier/metrics/health_pages.hpp"
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

namespace espalier::metrics {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
namespace sv = espalier::supervisor;

class HealthPagesTest : public sv::testing::RuntimeFixture {};

TEST_F(HealthPagesTest, AreWellWhileTheTreeIs) {
  const auto handle = start({.children = {blocking("db")}});
  ASSERT_TRUE(handle);
  HealthPages pages{*handle, {}};
  EXPECT_EQ(pages.alive().status, 200U);
  EXPECT_EQ(pages.ready().status, 200U);
  EXPECT_EQ(pages.ready().body, "ready\n");
}

TEST_F(HealthPagesTest, NameAChildThatIsNotReadyYet) {
  auto slow = blocking("slow");
  slow.policy.readiness = sv::Readiness::explicit_report;
  const auto handle = launch({.children = {slow}});
  ASSERT_TRUE(handle);
  ASSERT_TRUE(sink_->wait_for("/slow", "child_running"));
  HealthPages pages{*handle, {}};
  EXPECT_EQ(pages.alive().status, 200U);
  EXPECT_EQ(pages.ready().status, 503U);
  EXPECT_THAT(pages.ready().body, HasSubstr("is starting"));
  EXPECT_THAT(pages.ready().body, HasSubstr("/slow"));
}

TEST_F(HealthPagesTest, NameAFewOfManyThatAreNotReady) {
  sv::SupervisorSpec spec;
  for (int i = 0; i < 8; ++i) {
    auto child = shell("c" + std::to_string(i), "exit 1");
    child.policy.backoff.initial = 10min;
    child.policy.backoff.max = 10min;
    spec.children.push_back(child);
  }
  const auto handle = start(std::move(spec));
  ASSERT_TRUE(handle);
  for (int i = 0; i < 8; ++i)
    ASSERT_TRUE(sink_->wait_for("/c" + std::to_string(i), "restart_decided"));
  HealthPages pages{*handle, {}};
  EXPECT_EQ(pages.ready().status, 503U);
  EXPECT_THAT(pages.ready().body, HasSubstr("not ready: /c"));
  EXPECT_THAT(pages.ready().body, HasSubstr("and 3 more"));
  EXPECT_EQ(pages.alive().status, 200U);
}

TEST_F(HealthPagesTest, AreNotReadyWhileSomethingElseStandsInTheWay) {
  const auto handle = start({.children = {blocking("db")}});
  ASSERT_TRUE(handle);
  std::string obstacle = "the disk is full";
  HealthPages pages{*handle, {[&] { return obstacle; }}};
  EXPECT_EQ(pages.ready().status, 503U);
  EXPECT_EQ(pages.ready().body, "the disk is full\n");
  EXPECT_EQ(pages.alive().status, 200U);
  obstacle.clear();
  EXPECT_EQ(pages.ready().status, 200U);
}

TEST_F(HealthPagesTest, AreNotReadyWhileItShutsDownThoughStillAlive) {
  auto deaf = shell("deaf", "trap '' TERM; while :; do sleep 1; done");
  deaf.policy.stop.grace = 2s;
  const auto handle = start({.children = {deaf}});
  ASSERT_TRUE(handle);
  std::this_thread::sleep_for(200ms);  // Until the shell has set its trap.
  ASSERT_TRUE(handle->request_shutdown(meta_));
  ASSERT_TRUE(sink_->wait_for("/deaf", "child_stopping"));
  HealthPages pages{*handle, {}};
  EXPECT_EQ(pages.ready().status, 503U);
  EXPECT_EQ(pages.ready().body, "the tree is shutting down\n");
  EXPECT_EQ(pages.alive().status, 200U);
}

TEST_F(HealthPagesTest, AreUnwellAfterTheEnd) {
  const auto handle = start({.children = {blocking("db")}});
  ASSERT_TRUE(handle);
  ASSERT_TRUE(handle->shutdown(meta_));
  HealthPages pages{*handle, {}};
  EXPECT_EQ(pages.alive().status, 503U);
  EXPECT_EQ(pages.ready().status, 503U);
  EXPECT_THAT(pages.ready().body, HasSubstr("the tree has ended"));
}

/// Keeps the supervisor's thread until it is let go.
class Brake final : public sv::EventSink {
 public:
  void publish(const sv::Event& event) override {
    if (std::holds_alternative<sv::events::ChildPaused>(event.body)) {
      while (held_)
        std::this_thread::sleep_for(5ms);
    }
  }
  void release() { held_ = false; }

 private:
  std::atomic<bool> held_ = true;
};

TEST_F(HealthPagesTest, AreUnwellWhenTheRootDoesNotAnswerAndAskNotAgainAtOnce) {
  const auto brake = std::make_shared<Brake>();
  auto options = this->options();
  options.events.push_back(brake);
  const auto handle = sv::Supervisor::start({.children = {blocking("db")}}, factories_, options);
  ASSERT_TRUE(handle);
  handle->execute({.kind = sv::CommandKind::pause_child, .path = "/db", .meta = meta_},
                  [](const sv::CommandResult&) {});
  ASSERT_TRUE(sink_->wait_for("/db", "child_paused"));
  HealthPages pages{*handle, {}};
  EXPECT_EQ(pages.alive().status, 503U);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(pages.alive().body, HasSubstr("did not answer"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 500ms);
  brake->release();
  std::this_thread::sleep_for(1100ms);
  EXPECT_EQ(pages.alive().status, 200U);
}

}  // namespace
}  // namespace espalier::metrics
