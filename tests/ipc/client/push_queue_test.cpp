#include "espalier/ipc/client/internal/push_queue.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace espalier::ipc {
namespace {

TEST(PushQueue, the_oldest_go_and_a_gap_stands_in_their_place) {
  internal::PushQueue queue(3);
  for (int i = 1; i <= 5; ++i) {
    queue.add({.type = "event",
               .subscription_id = "s1",
               .body = {{"type", "event"}, {"event", {{"sequence", static_cast<unsigned>(i)}}}}},
              10);
  }
  const auto gap = queue.take();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->type, "gap");
  EXPECT_EQ(gap->body.dump(), R"({"type":"gap","subscription_id":"s1","from":1,"to":2,"count":2,)"
                              R"("reason":"slow_reader"})");
  for (const int left : {3, 4, 5}) {
    const auto event = queue.take();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->body["event"]["sequence"], left);
  }
  EXPECT_FALSE(queue.take());
}

TEST(PushQueue, bytes_count_too_and_the_last_line_always_stays) {
  internal::PushQueue queue(100, 1000);
  queue.add({.type = "snapshot", .subscription_id = "a"}, 900);
  queue.add({.type = "snapshot", .subscription_id = "b"}, 5000);
  const auto gap = queue.take();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->subscription_id, "a");
  EXPECT_EQ(gap->body["count"], 1);
  const auto kept = queue.take();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->subscription_id, "b");
  EXPECT_FALSE(queue.take());
}

}  // namespace
}  // namespace espalier::ipc
