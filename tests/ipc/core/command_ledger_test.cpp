#include "espalier/ipc/core/command_ledger.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <string>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using supervisor::TimePoint;
using Verdict = CommandLedger::Verdict;

const TimePoint start{1h};
constexpr std::uint32_t uid = 1000;

CommandAnswer answer_of(const std::string& command_id) {
  return {.command_id = command_id, .status = CommandStatus::completed};
}

Verdict verdict(CommandLedger& ledger, const std::string& id, const std::string& content,
                TimePoint now = start) {
  return ledger.open(uid, id, content, now).verdict;
}

TEST(command_ledger, a_command_is_fresh_once_then_runs_then_is_answered) {
  CommandLedger ledger{10min, 10};
  EXPECT_EQ(verdict(ledger, "c", "restart /a"), Verdict::fresh);
  EXPECT_EQ(verdict(ledger, "c", "restart /a"), Verdict::running);
  ledger.close(uid, "c", answer_of("c"), start);
  const auto look = ledger.open(uid, "c", "restart /a", start);
  EXPECT_EQ(look.verdict, Verdict::answered);
  ASSERT_TRUE(look.answer);
  EXPECT_EQ(look.answer->command_id, "c");
  EXPECT_EQ(look.answer->status, CommandStatus::completed);
}

TEST(command_ledger, other_content_is_a_forgery_while_it_runs_and_after) {
  CommandLedger ledger{10min, 10};
  EXPECT_EQ(verdict(ledger, "c", "restart /a"), Verdict::fresh);
  EXPECT_EQ(verdict(ledger, "c", "restart /b"), Verdict::mismatch);
  ledger.close(uid, "c", answer_of("c"), start);
  const auto look = ledger.open(uid, "c", "restart /b", start);
  EXPECT_EQ(look.verdict, Verdict::mismatch);
  EXPECT_FALSE(look.answer);
  EXPECT_EQ(verdict(ledger, "c", "restart /a"), Verdict::answered);
}

TEST(command_ledger, users_do_not_see_each_others_ids) {
  CommandLedger ledger{10min, 10};
  EXPECT_EQ(ledger.open(1, "c", "x", start).verdict, Verdict::fresh);
  EXPECT_EQ(ledger.open(11, "c", "y", start).verdict, Verdict::fresh);
  EXPECT_EQ(ledger.open(1, "1:c", "z", start).verdict, Verdict::fresh);
  ledger.close(1, "c", answer_of("c"), start);
  EXPECT_EQ(ledger.open(11, "c", "y", start).verdict, Verdict::running);
}

TEST(command_ledger, what_was_refused_before_it_ran_never_was) {
  CommandLedger ledger{10min, 10};
  EXPECT_EQ(verdict(ledger, "c", "x"), Verdict::fresh);
  ledger.forget(uid, "c");
  EXPECT_EQ(ledger.size(), 0U);
  EXPECT_EQ(verdict(ledger, "c", "y"), Verdict::fresh);
}

TEST(command_ledger, an_answer_cannot_be_forgotten_before_its_time) {
  CommandLedger ledger{10min, 10};
  EXPECT_EQ(verdict(ledger, "c", "x"), Verdict::fresh);
  ledger.close(uid, "c", answer_of("c"), start);
  ledger.forget(uid, "c");
  EXPECT_EQ(verdict(ledger, "c", "x"), Verdict::answered);
}

TEST(command_ledger, an_answer_lives_for_its_lifetime_from_the_end_of_the_command) {
  CommandLedger ledger{10min, 10};
  EXPECT_EQ(verdict(ledger, "c", "x"), Verdict::fresh);
  EXPECT_EQ(verdict(ledger, "c", "x", start + 1h), Verdict::running);  // It runs that long.
  ledger.close(uid, "c", answer_of("c"), start + 1h);
  EXPECT_EQ(verdict(ledger, "c", "x", start + 1h + 10min - 1ns), Verdict::answered);
  EXPECT_EQ(verdict(ledger, "c", "x", start + 1h + 10min), Verdict::fresh);
}

TEST(command_ledger, the_first_end_counts) {
  CommandLedger ledger{10min, 10};
  EXPECT_EQ(verdict(ledger, "c", "x"), Verdict::fresh);
  ledger.close(uid, "c", answer_of("c"), start);
  ledger.close(uid, "c", {.command_id = "c", .status = CommandStatus::rejected}, start);
  EXPECT_EQ(ledger.open(uid, "c", "x", start).answer->status, CommandStatus::completed);
  ledger.close(uid, "unknown", answer_of("unknown"), start);
  EXPECT_EQ(ledger.size(), 1U);
}

TEST(command_ledger, full_it_keeps_what_runs_and_the_newest_answers) {
  CommandLedger ledger{10min, 3};
  EXPECT_EQ(verdict(ledger, "runs", "x"), Verdict::fresh);
  for (int i = 0; i < 100; ++i) {
    const auto id = std::to_string(i);
    ASSERT_EQ(verdict(ledger, id, "x"), Verdict::fresh);
    ledger.close(uid, id, answer_of(id), start);
    ASSERT_LE(ledger.size(), 4U);
  }
  EXPECT_EQ(verdict(ledger, "runs", "x"), Verdict::running);
  EXPECT_EQ(verdict(ledger, "97", "x"), Verdict::answered);
  EXPECT_EQ(verdict(ledger, "96", "x"), Verdict::fresh);
}

TEST(command_ledger, runs_nothing_twice_whatever_comes) {
  std::mt19937 random{6};  // NOLINT: the same every time
  CommandLedger ledger{1s, 1000};
  auto now = start;
  struct Known {
    bool running = false;
    bool answered = false;
    std::string content = {};
    TimePoint ended_at = {};
  };
  std::map<std::string, Known> known;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds{random() % 30};
    const auto id = std::to_string(random() % 40);
    auto& it = known[id];
    if (it.running && random() % 3 == 0) {
      ledger.close(uid, id, answer_of(id), now);
      it = {false, true, it.content, now};
      continue;
    }
    if (it.answered && now - it.ended_at >= 1s) it = {};
    const auto content = std::to_string(random() % 2);
    auto expected = Verdict::fresh;
    if (it.running) expected = Verdict::running;
    if (it.answered) expected = Verdict::answered;
    if ((it.running || it.answered) && it.content != content) expected = Verdict::mismatch;
    ASSERT_EQ(verdict(ledger, id, content, now), expected) << "step " << i;
    if (expected == Verdict::fresh) it = {true, false, content, {}};
  }
}

}  // namespace
}  // namespace espalier::ipc
