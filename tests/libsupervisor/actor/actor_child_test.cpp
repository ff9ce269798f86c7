#include "libsupervisor/actor/actor_fixture.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor::testing {
namespace {

class ActorChild : public ActorFixture {};

TEST_F(ActorChild, AStopComesBeforeWhatWaitsInItsMailbox) {
  caf::actor counter;
  int handled = 0;
  add_actor(services_->factories, "counter",
            [&](caf::event_based_actor* self, std::shared_ptr<ChildContext>) {
              counter = caf::actor_cast<caf::actor>(self);
              return caf::behavior{[&handled](int) { ++handled; }};
            });
  const auto root = launch({.children = {child("a", "counter")}});
  for (int i = 0; i < 1000; ++i)
    caf::anon_send(counter, i);
  counter = nullptr;
  line_->send(input::Stop{"test"}, caf::message_priority::high);
  ASSERT_TRUE(scheduler_.prioritize(root)) << "the supervisor is to come first";
  settle();
  ASSERT_TRUE(uplink_->end);
  EXPECT_EQ(handled, 0);
}

}  // namespace
}  // namespace espalier::supervisor::testing
