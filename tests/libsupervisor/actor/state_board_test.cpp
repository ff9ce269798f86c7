#include "espalier/supervisor/actor/command_desk.hpp"
#include "espalier/supervisor/actor/tree_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

namespace espalier::supervisor {
namespace {

using ::testing::ElementsAre;

class Board : public ::testing::Test {
 protected:
  void set(ChildIndex child, ChildPhase phase, Intent intent = Intent::run) {
    board_.update({{child, spec_, ChildView{.phase = phase, .intent = intent}}});
  }
  std::vector<std::string> names(std::size_t page) {
    std::vector<BoardRow> rows;
    std::size_t from = 0;
    while (board_.page(from, page, rows)) {
    }
    std::vector<std::string> result;
    for (const auto& row : rows)
      result.push_back(row.name);
    return result;
  }

  std::shared_ptr<TreeTotals> totals_ = std::make_shared<TreeTotals>();
  StateBoard board_{{}, totals_};
  std::shared_ptr<const ChildSpec> spec_ = std::make_shared<ChildSpec>();
};

TEST_F(Board, ShowsChildrenPageByPageInTheirOrder) {
  for (ChildIndex i = 0; i < 5; ++i)
    board_.create(i, "c" + std::to_string(i));
  set(3, ChildPhase::removed);
  for (const auto page : {1U, 2U, 5U, 100U})
    EXPECT_THAT(names(page), ElementsAre("c0", "c1", "c2", "c4"));
  EXPECT_EQ(board_.name(3), "c3");
  EXPECT_FALSE(board_.find("c3"));
  EXPECT_TRUE(board_.find("c4"));
}

TEST_F(Board, AUsedAgainSlotIsTheNewChildAlone) {
  board_.create(0, "old");
  set(0, ChildPhase::running);
  set(0, ChildPhase::removed);
  board_.create(0, "new");
  set(0, ChildPhase::starting);
  EXPECT_FALSE(board_.find("old"));
  ASSERT_TRUE(board_.find("new"));
  EXPECT_EQ(board_.counts().total, 1u);
  EXPECT_EQ(board_.counts().of(ChildPhase::starting), 1u);
  EXPECT_EQ(board_.counts().of(ChildPhase::running), 0u);
}

TEST_F(Board, CountsWhoShouldBeReadyAndIsNot) {
  board_.create(0, "a");
  EXPECT_EQ(board_.counts().unready, 1u);
  set(0, ChildPhase::running);
  EXPECT_EQ(board_.counts().unready, 0u);
  set(0, ChildPhase::backing_off);
  EXPECT_EQ(totals_->counts().unready, 1u);
  set(0, ChildPhase::stopped, Intent::stopped);
  EXPECT_EQ(totals_->counts().unready, 0u);
  set(0, ChildPhase::quarantined);
  EXPECT_EQ(totals_->counts().unready, 1u);
  auto optional = std::make_shared<ChildSpec>();
  optional->policy.severity = SeverityClass::optional;
  spec_ = optional;
  set(0, ChildPhase::quarantined);
  EXPECT_EQ(totals_->counts().unready, 0u);
}

TEST_F(Board, ARetiredOneShowsNothingAsAlive) {
  board_.create(0, "a");
  board_.create(1, "b");
  set(0, ChildPhase::running);
  set(1, ChildPhase::quarantined);
  board_.retire();
  EXPECT_EQ(board_.find("a")->view.phase, ChildPhase::stopped);
  EXPECT_EQ(board_.find("b")->view.phase, ChildPhase::quarantined);
}

TEST_F(Board, CountersDoNotDriftUnderRandomChanges) {
  std::mt19937 random{7};
  {
    StateBoard other{{}, totals_};
    std::vector<bool> shown(200);
    for (int step = 0; step < 20'000; ++step) {
      const auto child = static_cast<ChildIndex>(random() % shown.size());
      if (!shown[child]) {
        other.create(child, "w" + std::to_string(random() % 1'000'000));
        shown[child] = true;
        continue;
      }
      const auto phase = static_cast<ChildPhase>(random() % PhaseCounts::phases);
      other.update({{child, spec_, ChildView{.phase = phase}}});
      shown[child] = phase != ChildPhase::removed;
    }
    const auto left = static_cast<std::uint64_t>(std::count(shown.begin(), shown.end(), true));
    EXPECT_EQ(other.counts().total, left);
    EXPECT_EQ(totals_->counts().total, left);
    EXPECT_EQ(totals_->counts().by_phase, other.counts().by_phase);
  }
  EXPECT_EQ(totals_->counts().total, 0u);
  EXPECT_EQ(totals_->counts().unready, 0u);
}

class Directory : public ::testing::Test {
 protected:
  std::shared_ptr<StateBoard> enter(const std::string& path) {
    auto board = std::make_shared<StateBoard>(SupervisorInfo{}, directory_.totals());
    directory_.enter(path, {.board = board});
    return board;
  }
  TreeDirectory directory_;
};

TEST_F(Directory, FindsTheNearestSupervisorAbove) {
  for (const auto* path : {"/", "/mid", "/mid/low"})
    enter(path);
  const auto place = [this](const std::string& path) {
    const auto found = directory_.above(path);
    return found ? found->path + "|" + found->rest : "none";
  };
  EXPECT_EQ(place("/a"), "/|a");
  EXPECT_EQ(place("/mid"), "/|mid");
  EXPECT_EQ(place("/mid/low"), "/mid|low");
  EXPECT_EQ(place("/mid/low/x"), "/mid/low|x");
  EXPECT_EQ(place("/nobody/x"), "/|nobody/x");
  EXPECT_EQ(place("no path"), "none");
}

TEST_F(Directory, ALateEndOfTheOneBeforeChangesNothing) {
  const auto first = enter("/mid");
  const auto second = enter("/mid");
  directory_.end("/mid", first.get());
  EXPECT_FALSE(directory_.find("/mid")->ended);
  directory_.end("/mid", second.get());
  EXPECT_TRUE(directory_.find("/mid")->ended);
}

TEST_F(Directory, WhatIsForgottenOrReplacedIsNotCountedAnyMore) {
  const auto first = enter("/mid");
  first->create(0, "a");
  const auto second = enter("/mid");
  second->create(0, "a");
  EXPECT_EQ(directory_.totals()->counts().total, 1u);
  directory_.forget("/mid");
  EXPECT_EQ(directory_.totals()->counts().total, 0u);
  second->create(1, "late");
  EXPECT_EQ(directory_.totals()->counts().total, 0u);
}

TEST_F(Directory, ForgetsAllBelowAndNothingBeside) {
  for (const auto* path : {"/", "/mid", "/mid/low", "/mid2"})
    enter(path);
  directory_.forget("/mid");
  EXPECT_FALSE(directory_.find("/mid"));
  EXPECT_FALSE(directory_.find("/mid/low"));
  EXPECT_TRUE(directory_.find("/mid2"));
  EXPECT_EQ(directory_.below("/").size(), 2u);
}

TEST(CommandDesk, AnswersEachOnceAndTheRestAtTheEnd) {
  CommandDesk desk;
  std::vector<std::string> answers;
  const auto note = [&](const std::string& name) {
    return [&answers, name](const CommandResult& result) {
      answers.push_back(name + ": " + (result ? "done" : to_string(result.error().code)));
    };
  };
  const auto a = desk.open(note("a"));
  const auto b = desk.open(note("b"));
  ASSERT_TRUE(a && b);
  desk.answer(*a, CommandOutcome{});
  desk.answer(*a, CommandOutcome{});
  desk.answer(99, CommandOutcome{});
  desk.close({Error::Code::gone, "ended"});
  desk.close({Error::Code::shutting_down, "again"});
  desk.answer(*b, CommandOutcome{});
  EXPECT_FALSE(desk.open(note("c")));
  EXPECT_THAT(answers, ElementsAre("a: done", "b: gone", "c: gone"));
}

TEST(CommandDesk, AnAnswerThatThrowsDoesNoHarm) {
  CommandDesk desk;
  const auto ticket = desk.open([](const CommandResult&) { throw std::runtime_error("x"); });
  ASSERT_TRUE(ticket);
  EXPECT_NO_THROW(desk.answer(*ticket, CommandOutcome{}));
}

TEST(CommandDesk, AsksWhoAndWhy) {
  const auto code = [](const CommandMeta& meta) {
    const auto problem = meta_problem(CommandKind::pause_child, meta);
    return problem ? to_string(problem->code) : "fine";
  };
  EXPECT_STREQ(code({"me", "because"}), "fine");
  EXPECT_STREQ(code({"", "because"}), "blank_meta");
  EXPECT_STREQ(code({"me", " \t\n"}), "blank_meta");
}

}  // namespace
}  // namespace espalier::supervisor
