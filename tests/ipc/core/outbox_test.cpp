#include "espalier/ipc/core/outbox.hpp"

#include "espalier/ipc/wire/codec.hpp"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace espalier::ipc {
namespace {

using testing::ElementsAre;

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      lines.push_back("no newline: " + std::string{text});
      break;
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string read_all(Outbox& outbox) {
  std::string text;
  while (!outbox.empty()) {
    const auto pending = outbox.pending();
    text += pending;
    outbox.sent(pending.size());
  }
  return text;
}

// A reader that has stopped: the first line is begun and stays.
Outbox stopped(std::size_t max_bytes, std::size_t max_pushed) {
  Outbox outbox{max_bytes, max_pushed};
  EXPECT_TRUE(outbox.answer("begun"));
  EXPECT_EQ(outbox.pending(), "begun\n");
  return outbox;
}

std::string gap(const std::string& subscription, std::uint64_t from, std::uint64_t to,
                std::uint64_t count) {
  return R"({"type":"gap","subscription_id":")" + subscription + R"(","from":)" +
         std::to_string(from) + R"(,"to":)" + std::to_string(to) + R"(,"count":)" +
         std::to_string(count) + R"(,"reason":"slow_reader"})";
}

TEST(outbox, lines_come_out_as_they_went_in) {
  Outbox outbox{1000, 10};
  EXPECT_TRUE(outbox.empty());
  EXPECT_TRUE(outbox.answer("one"));
  outbox.push("s1", "two ", shared("halves"), 1);
  outbox.push("s1", "three", nullptr, 2);
  EXPECT_TRUE(outbox.answer("four"));
  EXPECT_EQ(outbox.bytes(), 26U);
  EXPECT_EQ(read_all(outbox), "one\ntwo halves\nthree\nfour\n");
  EXPECT_EQ(outbox.bytes(), 0U);
  EXPECT_EQ(outbox.dropped(), 0U);
}

TEST(outbox, what_is_not_sent_stays) {
  Outbox outbox{1000, 10};
  EXPECT_TRUE(outbox.answer("abcdef"));
  EXPECT_EQ(outbox.pending(4), "abcd");
  EXPECT_EQ(outbox.pending(4), "abcd");
  outbox.sent(3);
  EXPECT_EQ(outbox.pending(), "def\n");
  outbox.sent(0);
  outbox.sent(4);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.pending(), "");
}

TEST(outbox, the_oldest_pushed_go_and_a_gap_stands_in_their_place) {
  auto outbox = stopped(100'000, 3);
  EXPECT_TRUE(outbox.answer("before"));
  for (std::uint64_t i = 1; i <= 7; ++i)
    outbox.push("s1", "e" + std::to_string(i), nullptr, i);
  EXPECT_TRUE(outbox.answer("after"));
  EXPECT_EQ(outbox.dropped(), 4U);
  EXPECT_THAT(lines_of(read_all(outbox)),
              ElementsAre("begun", "before", gap("s1", 1, 4, 4), "e5", "e6", "e7", "after"));
}

TEST(outbox, each_subscription_has_its_own_gap) {
  auto outbox = stopped(100'000, 2);
  for (std::uint64_t i = 1; i <= 6; ++i) {
    outbox.push(i % 2 == 0 ? "even" : "odd", "e" + std::to_string(i), nullptr, i);
  }
  EXPECT_THAT(lines_of(read_all(outbox)),
              ElementsAre("begun", gap("odd", 1, 3, 2), gap("even", 2, 4, 2), "e5", "e6"));
}

TEST(outbox, lines_without_a_sequence_are_counted) {
  auto outbox = stopped(100'000, 1);
  for (int i = 0; i < 3; ++i)
    outbox.push("logs", "line", nullptr, 0);
  EXPECT_THAT(lines_of(read_all(outbox)), ElementsAre("begun", gap("logs", 0, 0, 2), "line"));
}

TEST(outbox, a_new_gap_begins_after_one_that_was_written) {
  auto outbox = stopped(100'000, 1);
  for (std::uint64_t i = 1; i <= 3; ++i)
    outbox.push("s", "e" + std::to_string(i), nullptr, i);
  outbox.sent(6);
  EXPECT_EQ(outbox.pending(), gap("s", 1, 2, 2) + "\ne3\n");
  for (std::uint64_t i = 4; i <= 6; ++i)
    outbox.push("s", "e" + std::to_string(i), nullptr, i);
  EXPECT_THAT(lines_of(read_all(outbox)),
              ElementsAre(gap("s", 1, 2, 2), "e3", gap("s", 4, 5, 2), "e6"));
}

TEST(outbox, pushed_lines_make_room_for_answers) {
  auto outbox = stopped(100, 1000);
  for (std::uint64_t i = 1; i <= 9; ++i)
    outbox.push("s", std::string(9, 'e'), nullptr, i);
  EXPECT_TRUE(outbox.answer(std::string(49, 'a')));
  EXPECT_EQ(outbox.dropped(), 4U);
  EXPECT_THAT(lines_of(read_all(outbox)).at(1), gap("s", 1, 4, 4));
}

TEST(outbox, answers_that_do_not_fit_are_refused_and_none_is_lost) {
  auto outbox = stopped(100, 1000);
  EXPECT_TRUE(outbox.answer(std::string(49, 'a')));
  EXPECT_TRUE(outbox.answer(std::string(49, 'b')));
  EXPECT_FALSE(outbox.answer("c"));
  EXPECT_THAT(lines_of(read_all(outbox)),
              ElementsAre("begun", std::string(49, 'a'), std::string(49, 'b')));
}

TEST(outbox, a_reader_that_keeps_up_gets_lines_of_any_size) {
  Outbox outbox{100, 1000};
  outbox.push("s", "event", nullptr, 1);
  EXPECT_TRUE(outbox.answer(std::string(5000, 'a')));
  outbox.push("s", "event", nullptr, 2);
  EXPECT_THAT(lines_of(read_all(outbox)), ElementsAre("event", std::string(5000, 'a'), "event"));
  outbox.push("tree", std::string(5000, 't'), nullptr, 0);
  EXPECT_EQ(read_all(outbox), std::string(5000, 't') + "\n");
  EXPECT_EQ(outbox.dropped(), 0U);
}

TEST(outbox, a_pushed_line_that_never_fits_is_lost_and_said_to_be) {
  auto outbox = stopped(100, 1000);
  outbox.push("tree", std::string(5000, 't'), nullptr, 0);
  EXPECT_EQ(outbox.dropped(), 1U);
  EXPECT_THAT(lines_of(read_all(outbox)), ElementsAre("begun", gap("tree", 0, 0, 1)));
}

TEST(outbox, drop_forgets_a_subscription_and_its_gap_only) {
  auto outbox = stopped(100'000, 4);
  for (std::uint64_t i = 1; i <= 8; ++i) {
    outbox.push(i % 2 == 0 ? "even" : "odd", "e" + std::to_string(i), nullptr, i);
  }
  EXPECT_TRUE(outbox.answer("answer"));
  outbox.drop("odd");
  EXPECT_EQ(outbox.bytes(), 6U + 3 + 3 + 7);
  outbox.push("even", "e9", nullptr, 9);
  outbox.push("even", "e10", nullptr, 10);
  EXPECT_THAT(lines_of(read_all(outbox)),
              ElementsAre("begun", gap("even", 2, 4, 2), "e6", "e8", "answer", "e9", "e10"));
}

TEST(outbox, drop_never_cuts_a_line_in_half) {
  Outbox outbox{1000, 10};
  outbox.push("s", "half written", nullptr, 1);
  outbox.push("s", "waits", nullptr, 2);
  EXPECT_EQ(outbox.pending(4), "half");
  outbox.sent(4);
  outbox.drop("s");
  EXPECT_TRUE(outbox.answer("answer"));
  EXPECT_THAT(lines_of(read_all(outbox)), ElementsAre(" written", "answer"));
}

// Puts random lines in and takes random parts out. Afterwards the reader must be able to account
// for every line.
class RandomUse {
 public:
  explicit RandomUse(unsigned seed) : random_(seed) {}

  void step() {
    switch (random_() % 8) {
      case 0:
        answer();
        break;
      case 1:
      case 2:
        read();
        break;
      case 3:
        drop();
        break;
      default:
        push();
        break;
    }
    ASSERT_LE(outbox_.bytes(), 2 * max_bytes + 2000);
  }

  void check() {
    text_ += read_all(outbox_);
    std::map<std::string, std::uint64_t> last;
    std::uint64_t lost = 0;
    std::vector<std::string> answers;
    for (const auto& line : lines_of(text_)) {
      if (line[0] == 'a') {
        answers.push_back(line);
      } else if (line[0] == '{') {
        lost += check_gap(line, last);
      } else {
        const auto colon = line.find(':');
        const auto number = std::stoull(line.substr(colon + 1));
        auto& before = last[line.substr(0, colon)];
        ASSERT_EQ(number, before + 1) << line;
        before = number;
      }
    }
    EXPECT_EQ(answers, answers_);
    EXPECT_EQ(lost, outbox_.dropped());
    EXPECT_GT(lost, 0U);
    for (const auto& [subscription, number] : pushed_)
      EXPECT_EQ(last[subscription], number);
  }

 private:
  static constexpr std::size_t max_bytes = 600;

  void answer() {
    auto line = "a" + std::to_string(answers_.size()) + std::string(random_() % 100, '.');
    if (outbox_.answer(line)) answers_.push_back(std::move(line));
  }
  void push() {
    const auto subscription = "s" + std::to_string(random_() % 3);
    const auto number = ++pushed_[subscription];
    outbox_.push(subscription, subscription + ":", shared(std::to_string(number)), number);
  }
  void read() {
    const auto pending = outbox_.pending(1 + random_() % 300);
    const auto count = pending.empty() ? 0 : random_() % (pending.size() + 1);
    text_ += pending.substr(0, count);
    outbox_.sent(count);
  }
  // Of a subscription that has never been: nobody's lines may go.
  void drop() { outbox_.drop("s9"); }

  static std::uint64_t check_gap(const std::string& line,
                                 std::map<std::string, std::uint64_t>& last) {
    const auto push = decode<GapPush>(*parse_json(line), Unknown::refuse);
    EXPECT_TRUE(push);
    if (!push) return 0;
    EXPECT_EQ(push->from, last[push->subscription_id] + 1) << line;
    EXPECT_EQ(push->count, push->to - push->from + 1) << line;
    last[push->subscription_id] = push->to;
    return push->count;
  }

  std::mt19937 random_;
  Outbox outbox_{max_bytes, 20};
  std::string text_ = {};
  std::vector<std::string> answers_ = {};
  std::map<std::string, std::uint64_t> pushed_ = {};
};

TEST(outbox, every_line_is_accounted_for_whatever_the_reader_does) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    RandomUse use{seed};
    for (int i = 0; i < 2000 && !HasFatalFailure(); ++i)
      use.step();
    use.check();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace espalier::ipc
