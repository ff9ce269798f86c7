#include "espalier/supervisor/scheduler/scheduler.hpp"
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <caf/all.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;

class BusyTree : public RuntimeFixture {
 protected:
  BusyTree() {
    add_actor(factories_, "blocks",
              [this](caf::event_based_actor* self, std::shared_ptr<ChildContext>) {
                self->send(self, 1);
                return caf::behavior{[this](int) {
                  ++blocked_;
                  released_.wait();
                }};
              });
    factories_.add_blocking("fails", [this](ChildContext& context) {
      if (++lives_ < 4) throw std::runtime_error("once more");
      while (context.sleep_for(1min)) {
      }
    });
  }

  /// Both threads of the tree's system stand in a handler that does not return.
  void block_every_thread() {
    while (blocked_ < 2)
      std::this_thread::sleep_for(1ms);
  }

  std::promise<void> release_;
  std::shared_future<void> released_ = release_.get_future().share();
  std::atomic<int> blocked_ = 0;
  std::atomic<int> lives_ = 0;
};

TEST_F(BusyTree, SupervisorsActWhileChildrenBlockEveryThread) {
  SupervisorSpec inner;
  inner.children = {blocking("worker")};
  const auto tree = start(
      {.children = {subtree("inner", inner), actor("one", "blocks"), actor("two", "blocks")}});
  ASSERT_TRUE(tree);
  block_every_thread();
  EXPECT_TRUE(tree->add_child("/", blocking("flaky", "fails"), meta_));
  for (int i = 0; i < 1000 && lives_ < 4; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(lives_, 4) << "restarts of a sibling";
  EXPECT_TRUE(tree->restart_child("/inner/worker", meta_)) << "a command to a nested supervisor";
  EXPECT_TRUE(tree->restart_child("/inner", meta_)) << "a supervisor that ends and begins";
  release_.set_value();
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->report.reconcile.clean());
}

TEST_F(BusyTree, SharingMayBeChosen) {
  auto with = options();
  with.scheduler = SchedulerPolicy::sharing;
  const auto tree = Supervisor::start({.children = {actor("a"), blocking("b", "fails")}},
                                      factories_, std::move(with));
  ASSERT_TRUE(tree);
  for (int i = 0; i < 1000 && lives_ < 4; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(lives_, 4);
  EXPECT_TRUE(tree->shutdown(meta_));
  release_.set_value();
}

TEST_F(BusyTree, ASystemOfTheUserMayUseOurScheduler) {
  caf::actor_system_config config;
  config.load<Scheduler>();
  config.set("scheduler.max-threads", std::size_t{2});
  caf::actor_system system{config};
  ASSERT_NE(Scheduler::of(system), nullptr);
  auto with = options();
  with.system = &system;
  const auto tree = Supervisor::start(
      {.children = {actor("one", "blocks"), actor("two", "blocks"), blocking("b")}}, factories_,
      std::move(with));
  ASSERT_TRUE(tree);
  block_every_thread();
  EXPECT_TRUE(tree->restart_child("/b", meta_));
  release_.set_value();
  EXPECT_TRUE(tree->shutdown(meta_));
}

TEST_F(BusyTree, AForeignSchedulerServesToo) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  EXPECT_EQ(Scheduler::of(system), nullptr);
  auto with = options();
  with.system = &system;
  const auto tree = Supervisor::start({.children = {actor("a")}}, factories_, std::move(with));
  ASSERT_TRUE(tree);
  EXPECT_TRUE(tree->restart_child("/a", meta_));
  EXPECT_TRUE(tree->shutdown(meta_));
  release_.set_value();
}

}  // namespace
}  // namespace espalier::supervisor::testing
