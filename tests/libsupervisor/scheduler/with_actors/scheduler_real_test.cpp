#include "espalier/supervisor/scheduler/scheduler.hpp"
#include "libsupervisor/scheduler/scheduler_fixture.hpp"

#include <caf/all.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;

caf::behavior ball_player(caf::event_based_actor* self) {
  return {[self](const caf::actor& partner) { self->send(partner, 1, self); },
          [self](int, const caf::actor& from) { self->send(from, 1, self); }};
}

TEST(SchedulerWithActors, ActorsThatKeepEachOtherBusyLeaveOthersTheirTurn) {
  std::atomic<int> answers = 0;
  ScheduledSystem on{2};
  std::vector<caf::actor> players;
  for (int i = 0; i < 4; ++i)
    players.push_back(on.system.spawn(ball_player));
  caf::anon_send(players[0], players[1]);
  caf::anon_send(players[2], players[3]);
  std::this_thread::sleep_for(20ms);
  const auto innocent = on.system.spawn(
      [&](caf::event_based_actor*) -> caf::behavior { return {[&](int) { ++answers; }}; });
  for (int i = 0; i < 100; ++i)
    caf::anon_send(innocent, i);
  EXPECT_TRUE(comes_true([&] { return answers == 100; }));
  for (const auto& player : players)
    caf::anon_send_exit(player, caf::exit_reason::kill);
}

// The one that is woken waits behind the handler that woke it, until somebody sees that.
TEST(SchedulerWithActors, WhatWaitsBehindABlockedHandlerIsTakenByAnotherThread) {
  std::atomic<bool> woken_ran = false;
  std::atomic<bool> in_time = false;
  ScheduledSystem on{2};
  const auto woken = on.system.spawn(
      [&](caf::event_based_actor*) -> caf::behavior { return {[&](int) { woken_ran = true; }}; });
  const auto blocker = on.system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    return {[&, self](int) {
      self->send(woken, 1);
      in_time = comes_true([&] { return woken_ran.load(); });
    }};
  });
  std::this_thread::sleep_for(20ms);
  caf::anon_send(blocker, 1);
  EXPECT_TRUE(comes_true([&] { return in_time.load(); }));
}

/// An actor that waits in the lane, as supervisors do.
class LaneActor final : public caf::event_based_actor {
 public:
  LaneActor(caf::actor_config& config, std::function<void(caf::event_based_actor*)> work)
      : caf::event_based_actor(config), work_(std::move(work)) {}

  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit*) override {
    caf::event_based_actor::enqueue(std::move(message), &Scheduler::of(home_system())->lane());
  }
  void launch(caf::execution_unit*, bool lazy, bool hide) override {
    caf::event_based_actor::launch(&Scheduler::of(home_system())->lane(), lazy, hide);
  }

 protected:
  caf::behavior make_behavior() override {
    return {[this](int) { work_(this); }};
  }

 private:
  std::function<void(caf::event_based_actor*)> work_;
};

TEST(SchedulerWithActors, TheLaneMovesWhileEveryWorkerIsBlocked) {
  std::atomic<int> handled = 0;
  std::atomic<int> blocked = 0;
  std::atomic<bool> release = false;
  ScheduledSystem on{2};
  const auto first = on.system.spawn<LaneActor>([&](caf::event_based_actor*) { ++handled; });
  const auto second = on.system.spawn<LaneActor>([&](caf::event_based_actor* self) {
    ++handled;
    self->send(first, 1);
  });
  for (int i = 0; i < 2; ++i) {
    caf::anon_send(on.system.spawn([&](caf::event_based_actor*) -> caf::behavior {
      return {[&](int) {
        ++blocked;
        (void)comes_true([&] { return release.load(); });
      }};
    }),
                   1);
  }
  ASSERT_TRUE(comes_true([&] { return blocked == 2; }));
  for (int i = 0; i < 50; ++i) {
    caf::anon_send(second, 1);
    ASSERT_TRUE(comes_true([&] { return handled == 2 * (i + 1); })) << i;
  }
  release = true;
}

TEST(SchedulerWithActors, ABlockedHandlerHoldsUpNoSupervisorThatItHasWoken) {
  std::atomic<bool> handled = false;
  std::atomic<bool> in_time = false;
  ScheduledSystem on{1};
  const auto supervisor =
      on.system.spawn<LaneActor>([&](caf::event_based_actor*) { handled = true; });
  const auto blocker = on.system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    return {[&, self](int) {
      self->send(supervisor, 1);
      in_time = comes_true([&] { return handled.load(); });
    }};
  });
  caf::anon_send(blocker, 1);
  EXPECT_TRUE(comes_true([&] { return in_time.load(); }));
}

// The child is woken on the thread that the supervisors keep busy, so nobody else can take it.
TEST(SchedulerWithActors, SupervisorsThatKeepThemselvesBusyLeaveOthersTheirTurn) {
  std::atomic<bool> stop = false;
  std::atomic<bool> asked = false;
  std::atomic<int> answers = 0;
  ScheduledSystem on{1};
  const auto child = on.system.spawn(
      [&](caf::event_based_actor*) -> caf::behavior { return {[&](int) { ++answers; }}; });
  for (int i = 0; i < 3; ++i) {
    const auto busy = on.system.spawn<LaneActor>([&, child](caf::event_based_actor* self) {
      if (asked.exchange(false)) self->send(child, 1);
      if (!stop) self->send(self, 1);
    });
    caf::anon_send(busy, 1);
  }
  for (int i = 0; i < 20; ++i) {
    asked = true;
    ASSERT_TRUE(comes_true([&] { return answers == i + 1; })) << (stop = true);
  }
  stop = true;
}

std::uint64_t switches_of_our_threads() {
  std::uint64_t result = 0;
  for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream status{task.path() / "status"};
    std::string word;
    bool ours = false;
    while (status >> word) {
      if (word == "Name:") ours = status >> word && word.starts_with("espalier-");
      if (ours && word == "voluntary_ctxt_switches:") {
        std::uint64_t count = 0;
        status >> count;
        result += count;
      }
    }
  }
  return result;
}

TEST(SchedulerWithActors, WithNothingToDoNoThreadWakes) {
  std::atomic<bool> ran = false;
  ScheduledSystem on{4};
  // One that wakes another, so that the overseer had something to look at.
  const auto woken = on.system.spawn(
      [&](caf::event_based_actor*) -> caf::behavior { return {[&](int) { ran = true; }}; });
  caf::anon_send(on.system.spawn([woken](caf::event_based_actor* self) -> caf::behavior {
    return {[=](int) { self->send(woken, 1); }};
  }),
                 1);
  ASSERT_TRUE(comes_true([&] { return ran.load(); }));
  std::this_thread::sleep_for(50ms);
  const auto before = switches_of_our_threads();
  EXPECT_GT(before, 0U);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(switches_of_our_threads(), before);
}

// A token goes through a crowd; each one that has held it often enough ends and is replaced.
TEST(SchedulerWithActors, SurvivesACrowdThatComesAndGoes) {
  std::atomic<int> passed = 0;
  std::atomic<int> ended = 0;
  ScheduledSystem on{3};
  const auto member = [&](caf::event_based_actor* self) -> caf::behavior {
    self->attach_functor([&](const caf::error&) { ++ended; });
    return {[&, self](int left, std::uint32_t seed) {
      ++passed;
      if (left == 0) return;
      std::minstd_rand random{seed};
      const auto next = static_cast<std::uint32_t>(random());
      self->send(self->spawn([&](caf::event_based_actor* other) -> caf::behavior {
        other->attach_functor([&](const caf::error&) { ++ended; });
        return {[&, other](int, std::uint32_t) {
          ++passed;
          other->quit();
        }};
      }),
                 0, next);
      self->send(self, left - 1, next);
    }};
  };
  constexpr int members = 50;
  constexpr int rounds = 200;
  {
    std::vector<caf::actor> crowd;
    for (std::uint32_t i = 0; i < members; ++i) {
      crowd.push_back(on.system.spawn(member));
      caf::anon_send(crowd.back(), rounds, i + 1);
    }
    EXPECT_TRUE(comes_true([&] { return passed == members * (2 * rounds + 1); })) << passed;
  }
  EXPECT_TRUE(comes_true([&] { return ended == members * (rounds + 1); })) << ended;
}

TEST(SchedulerWithActors, EndsManyTimesWithWorkUnderWay) {
  for (int i = 0; i < 50; ++i) {
    ScheduledSystem on{2};
    const auto busy =
        on.system.spawn<caf::hidden>([](caf::event_based_actor* self) -> caf::behavior {
          self->send(self, 1);
          return {[self](int x) { self->send(self, x); }};
        });
    caf::anon_send(busy, 1);
  }
}

}  // namespace
}  // namespace espalier::supervisor::testing
