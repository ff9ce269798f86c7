#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class Reload : public RuntimeFixture {
 protected:
  static SupervisorSpec before() {
    return {.children = {blocking("a"),
                         subtree("mid", {.children = {blocking("x"), blocking("y")}}),
                         subtree("old", {.children = {blocking("o")}})}};
  }
  // /mid/y is made of something else, /mid/z and /new are new, /old goes.
  static SupervisorSpec after() {
    auto other = blocking("y");
    other.params["size"] = "7";
    return {.config_version = "2",
            .children = {blocking("a"),
                         subtree("mid", {.children = {blocking("x"), other, blocking("z")}}),
                         subtree("new", {.children = {blocking("n")}})}};
  }
  static std::vector<std::string> paths(const SupervisorHandle& tree) {
    std::vector<std::string> result;
    const auto state = tree.current_state();
    for (const auto& node : state->nodes)
      result.push_back(node.path);
    return result;
  }
};

TEST_F(Reload, ChangesOnlyWhatDiffersOnEveryLevel) {
  auto tree = start(before());
  ASSERT_TRUE(tree);
  const auto done = tree->reload(after(), meta_);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(done->changed);
  EXPECT_THAT(done->plan, ::testing::Contains(HasSubstr("/mid/y")));
  EXPECT_THAT(done->plan, ::testing::Contains(HasSubstr("/old")));
  EXPECT_THAT(paths(*tree), UnorderedElementsAre("/", "/a", "/mid", "/mid/x", "/mid/y", "/mid/z",
                                                 "/new", "/new/n"));
  EXPECT_EQ(sink_->count("/a", "child_starting"), 1u);
  EXPECT_EQ(sink_->count("/mid/x", "child_starting"), 1u);
  EXPECT_EQ(sink_->count("/mid/y", "child_starting"), 2u);
  EXPECT_EQ(tree->current_state()->config_version, "2");
  EXPECT_EQ(tree->counts().total, 7u);
  const auto again = tree->reload(after(), meta_);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->changed);
  EXPECT_THAT(again->plan, IsEmpty());
}

TEST_F(Reload, ADryRunSaysTheSameAndTouchesNothing) {
  auto tree = start(before());
  ASSERT_TRUE(tree);
  const auto was = paths(*tree);
  const auto dry = tree->reload(after(), meta_, true);
  ASSERT_TRUE(dry) << dry.error().message;
  EXPECT_FALSE(dry->changed);
  EXPECT_EQ(paths(*tree), was);
  EXPECT_EQ(sink_->count("/old", "child_stopping"), 0u);
  const auto done = tree->reload(after(), meta_);
  ASSERT_TRUE(done);
  EXPECT_EQ(dry->plan, done->plan);
}

TEST_F(Reload, AnInvalidTreeChangesNothing) {
  auto tree = start(before());
  ASSERT_TRUE(tree);
  auto bad = after();
  bad.children.push_back(blocking("b", "nobody"));
  const auto refused = tree->reload(bad, meta_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Error::Code::invalid_spec);
  EXPECT_THAT(refused.error().message, StartsWith("/b: unknown factory"));
  EXPECT_EQ(sink_->count("/old", "child_stopping"), 0u);
}

TEST_F(Reload, WhatIsBelowARestartedSupervisorComesWithIt) {
  auto tree = start({.children = {subtree("s", {.children = {blocking("x")}})}});
  ASSERT_TRUE(tree);
  auto child = blocking("s");
  const auto to_child = tree->reload({.children = {child}}, meta_);
  ASSERT_TRUE(to_child) << to_child.error().message;
  EXPECT_THAT(paths(*tree), ElementsAre("/", "/s"));
  const auto back =
      tree->reload({.children = {subtree("s", {.children = {blocking("y")}})}}, meta_);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_THAT(paths(*tree), ElementsAre("/", "/s", "/s/y"));
}

TEST_F(Reload, APoolGrowsAndShrinksInPlace) {
  const auto tree_of = [](std::uint32_t size) {
    auto pool = blocking("pool");
    pool.kind = ChildKind::pool;
    pool.factory.clear();
    pool.pool = std::make_shared<const PoolSpec>(PoolSpec{.child = blocking("any"), .size = size});
    return SupervisorSpec{.children = {subtree("s", {.children = {pool}})}};
  };
  auto tree = start(tree_of(2));
  ASSERT_TRUE(tree);
  ASSERT_TRUE(tree->reload(tree_of(3), meta_, true));
  EXPECT_THAT(paths(*tree), UnorderedElementsAre("/", "/s", "/s/pool", "/s/pool/1", "/s/pool/2"));
  const auto more = tree->reload(tree_of(3), meta_);
  ASSERT_TRUE(more) << more.error().message;
  EXPECT_THAT(more->plan, ElementsAre("change /s/pool in place: size 2 -> 3"));
  EXPECT_EQ(sink_->count("/s/pool/1", "child_starting"), 1u);
  EXPECT_THAT(paths(*tree), ::testing::Contains("/s/pool/3"));
  ASSERT_TRUE(tree->reload(tree_of(1), meta_));
  EXPECT_THAT(paths(*tree), UnorderedElementsAre("/", "/s", "/s/pool", "/s/pool/1"));
}

// It has taken the first level's steps and waits for one to stop when the tree is shut down.
TEST_F(Reload, AShutdownHalfWayEndsItWithOneAnswer) {
  const auto released = std::make_shared<std::atomic<bool>>(false);
  factories_.add_blocking("stubborn", [released](ChildContext& context) {
    while (context.sleep_for(1min)) {
    }
    while (!*released)
      std::this_thread::sleep_for(1ms);
  });
  auto tree = start(
      {.children = {blocking("a"), subtree("mid", {.children = {blocking("x", "stubborn")}})}});
  ASSERT_TRUE(tree);
  const SupervisorSpec wanted{
      .children = {blocking("a"), blocking("new"), subtree("mid", {.children = {blocking("y")}})}};
  auto answers = std::make_shared<std::vector<CommandResult>>();
  tree->execute({.kind = CommandKind::reload,
                 .path = "/",
                 .meta = meta_,
                 .tree = std::make_shared<SupervisorSpec>(wanted)},
                [answers](const CommandResult& result) { answers->push_back(result); });
  ASSERT_TRUE(sink_->wait_for("/mid/x", "child_stopping"));
  ASSERT_TRUE(tree->request_shutdown(meta_));
  ASSERT_TRUE(sink_->wait_for("/", "shutdown_requested"));
  *released = true;
  const auto& result = tree->join();
  EXPECT_EQ(result.kind, TreeResult::Kind::stopped);
  EXPECT_TRUE(result.report.reconcile.clean());
  ASSERT_EQ(answers->size(), 1u);
  ASSERT_FALSE(answers->front());
  EXPECT_EQ(answers->front().error().code, Error::Code::shutting_down);
  EXPECT_THAT(answers->front().error().message, HasSubstr("before /mid are done"));
  EXPECT_EQ(sink_->count("/mid/y", "child_starting"), 0u);
}

}  // namespace
}  // namespace espalier::supervisor::testing
