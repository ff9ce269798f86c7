#include "espalier/supervisor/scheduler/job_queue.hpp"

#include "libsupervisor/scheduler/count_job.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace espalier::supervisor::testing {
namespace {

TEST(JobQueue, GivesBackInOrder) {
  CountJob first, second;
  JobQueue queue;
  queue.push(&first);
  queue.push(&second);
  EXPECT_FALSE(queue.empty());
  EXPECT_FALSE(queue.surely_empty());
  EXPECT_EQ(queue.pop(), &first);
  EXPECT_EQ(queue.pop(), &second);
  EXPECT_EQ(queue.pop(), nullptr);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.surely_empty());
}

TEST(JobQueue, AThiefTakesTheOlderHalfAndLeavesTheRestInOrder) {
  std::deque<CountJob> jobs(5);
  JobQueue victim, thief;
  for (auto& job : jobs)
    victim.push(&job);
  thief.take_half_of(victim);
  for (const auto i : {0U, 1U, 2U})
    EXPECT_EQ(thief.pop(), &jobs[i]);
  for (const auto i : {3U, 4U})
    EXPECT_EQ(victim.pop(), &jobs[i]);
}

TEST(JobQueue, AThiefAppendsAndTakesAtMost256) {
  std::deque<CountJob> jobs(1000);
  CountJob own;
  JobQueue victim, thief;
  for (auto& job : jobs)
    victim.push(&job);
  thief.push(&own);
  thief.take_half_of(victim);
  EXPECT_EQ(thief.pop(), &own);
  int stolen = 0;
  while (thief.pop())
    ++stolen;
  EXPECT_EQ(stolen, 256);
  EXPECT_EQ(victim.pop(), &jobs[256]);
}

TEST(JobQueue, NothingIsStolenFromNothing) {
  JobQueue victim, thief;
  thief.take_half_of(victim);
  EXPECT_TRUE(thief.surely_empty());
}

}  // namespace
}  // namespace espalier::supervisor::testing
