#include "espalier/supervisor/scheduler/job_queue.hpp"
#include "espalier/supervisor/scheduler/parking.hpp"
#include "libsupervisor/scheduler/count_job.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <thread>
#include <vector>

namespace espalier::supervisor::testing {
namespace {

// Each job is brought alone and waited for, so that a wake-up that is lost once is lost for good.
TEST(Parking, NoWakeUpIsLost) {
  constexpr int rounds = 20'000;
  JobQueue queue;
  Parking parking;
  CountJob job;
  std::atomic<bool> stop = false;
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      while (!stop) {
        if (auto* found = queue.pop()) {
          found->resume(nullptr, 0);
        } else {
          parking.park([&] { return stop || !queue.surely_empty(); });
        }
      }
    });
  }
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{50};
  int brought = 0;
  for (; brought < rounds && std::chrono::steady_clock::now() < give_up; ++brought) {
    queue.push(&job);
    parking.call_one();
    while (job.runs <= brought && std::chrono::steady_clock::now() < give_up)
      std::this_thread::yield();
  }
  EXPECT_EQ(job.runs, brought);
  stop = true;
  parking.close();
  for (auto& worker : workers)
    worker.join();
}

TEST(Parking, WorkThatIsThereKeepsNobodyWaiting) {
  Parking parking;
  parking.park([] { return true; });
  parking.call_one();  // For nobody: not kept for the next one.
  std::atomic<bool> back = false;
  std::thread late{[&] {
    parking.park([] { return false; });
    back = true;
  }};
  std::this_thread::sleep_for(std::chrono::milliseconds{20});
  EXPECT_FALSE(back);
  while (!back) {
    parking.call_one();
    std::this_thread::yield();
  }
  late.join();
}

}  // namespace
}  // namespace espalier::supervisor::testing
