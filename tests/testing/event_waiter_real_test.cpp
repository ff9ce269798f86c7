#include "espalier/supervisor.hpp"
#include "espalier/testing.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

namespace espalier::testing {
namespace {

using namespace std::chrono_literals;
namespace sv = supervisor;

sv::SupervisorSpec tree_with(const std::string& name) {
  sv::ChildSpec child;
  child.name = name;
  child.kind = sv::ChildKind::blocking;
  child.factory = "work";
  child.policy.backoff.initial = 1ms;
  sv::SupervisorSpec tree;
  tree.children = {child};
  return tree;
}

TEST(EventWaiterTest, FollowsARealTree) {
  sv::ChildFactories factories;
  factories.add_blocking("work", [](sv::ChildContext& self) {
    if (self.generation() == 1) throw std::runtime_error("first time");
    self.sleep_for(1h);
  });
  const auto events = std::make_shared<EventWaiter>();
  const auto handle = sv::Supervisor::start(tree_with("db"), factories, {.events = {events}});
  ASSERT_TRUE(handle);
  EXPECT_TRUE(events->wait_until_ready("/")) << events->text();
  const auto exited = events->wait_for("child_exited", "/db");
  const auto ready = events->wait_until_ready("/db");
  ASSERT_TRUE(exited) << events->text();
  EXPECT_EQ(std::get<sv::events::ChildExited>(exited->body).exit.message, "first time");
  EXPECT_TRUE(ready) << events->text();
  EXPECT_TRUE(handle->shutdown({"test", "it is over"}));
  EXPECT_TRUE(events->wait_for("shutdown_completed", "/")) << events->text();
}

TEST(EventWaiterTest, GivesUpInTimeAndLosesNothing) {
  EventWaiter events;
  EXPECT_FALSE(events.wait_for("child_ready", "/a", 1ms));
  events.publish({.path = "/a", .body = sv::events::ChildReady{}});
  events.publish({.path = "/b", .body = sv::events::ChildReady{}});
  EXPECT_FALSE(events.wait_until_ready("/c", 1ms));
  EXPECT_TRUE(events.wait_until_ready("/a", 1ms));
  EXPECT_FALSE(events.wait_until_ready("/a", 1ms)) << "the same event twice";
  EXPECT_TRUE(events.wait_until_ready("/b", 1ms));
  EXPECT_EQ(events.events().size(), 2u);
}

}  // namespace
}  // namespace espalier::testing
