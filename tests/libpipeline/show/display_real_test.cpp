#include "espalier/pipeline/show/display.hpp"
#include "espalier/pipeline/show/show.hpp"
#include "libpipeline/show/shown.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace espalier::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

/// Both ends of a pipe or of a terminal; what was written comes out of `text`.
class Wire {
 public:
  static Wire pipe() {
    int ends[2] = {};
    EXPECT_EQ(::pipe(ends), 0);
    return {ends[0], ends[1]};
  }
  static Wire terminal(unsigned short columns, unsigned short rows) {
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_EQ(grantpt(master), 0);
    EXPECT_EQ(unlockpt(master), 0);
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    termios raw = {};
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    winsize size = {};
    size.ws_col = columns;
    size.ws_row = rows;
    EXPECT_EQ(ioctl(slave, TIOCSWINSZ, &size), 0);
    return {master, slave};
  }
  ~Wire() {
    close(read_);
    close(write_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  [[nodiscard]] int fd() const { return write_; }
  /// All that was written until now.
  std::string text() const {
    std::string out;
    char buffer[4096];
    pollfd ready = {read_, POLLIN, 0};
    while (poll(&ready, 1, 50) == 1 && (ready.revents & POLLIN) != 0) {
      const ssize_t size = read(read_, buffer, sizeof buffer);
      if (size <= 0) break;
      out.append(buffer, static_cast<std::size_t>(size));
    }
    return out;
  }

 private:
  Wire(int read_end, int write_end) : read_(read_end), write_(write_end) {}
  int read_;
  int write_;
};

std::shared_ptr<DashboardProtocol> display(const std::string& word, int fd) {
  auto made = make_display(word, {.fd = fd});
  EXPECT_TRUE(made) << word;
  return *made;
}

class DisplayTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("NO_COLOR");
  }
};

TEST_F(DisplayTest, AnUnknownWordIsAnErrorThatNamesTheOthers) {
  const auto made = make_display("fancy");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(),
            "there is no display \"fancy\"; take one of progress, compact, detailed, full or json");
}

TEST_F(DisplayTest, OnAPipeThereAreLinesAtIntervalsAndAtTheEnd) {
  for (const std::string word : {"progress", "compact", "detailed", "full"}) {
    const Wire wire = Wire::pipe();
    const auto shown = display(word, wire.fd());
    DashboardView view = busy_view();
    shown->on_start("crawl", 300);
    for (const int second : {0, 4, 5, 6, 9, 10}) {
      view.elapsed = seconds(second);
      shown->on_update(view);
    }
    shown->on_finish(busy_view(), busy_view().errors);
    const std::string text = wire.text();
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_EQ(text.find("33 %"), text.find("crawl") + 7);
    std::size_t lines = 0;
    for (std::size_t at = text.find("crawl:"); at != std::string::npos; ++lines)
      at = text.find("crawl:", at + 1);
    EXPECT_EQ(lines, 3u) << text;
    EXPECT_THAT(text, HasSubstr("crawl: 95 ok, 3 failed, 2 skipped in 20 s (4.5/s)\n"));
    const bool reports = word == "detailed" || word == "full";
    EXPECT_EQ(text.find("By stage:") != std::string::npos, reports) << word;
  }
}

TEST_F(DisplayTest, OnATerminalPicturesReplaceEachOther) {
  const Wire wire = Wire::terminal(80, 24);
  const auto shown = display("compact", wire.fd());
  shown->on_start("crawl", 300);
  shown->on_update(busy_view());
  const std::string first = wire.text();
  EXPECT_THAT(first, HasSubstr("\x1b[?25l"));
  EXPECT_THAT(first, HasSubstr("\u2502 fetch 2/2  store 1/1 "));
  shown->on_update(busy_view());
  EXPECT_THAT(wire.text(), HasSubstr("\r\x1b[5A"));
  shown->on_finish(busy_view(), {});
  const std::string last = wire.text();
  EXPECT_THAT(last, HasSubstr("\x1b[?25h"));
  EXPECT_THAT(last, HasSubstr("crawl: 95 ok"));
}

TEST_F(DisplayTest, FullTakesTheScreenAndGivesItBackWithAReport) {
  const Wire wire = Wire::terminal(80, 24);
  const auto shown = display("full", wire.fd());
  shown->on_update(busy_view());
  EXPECT_THAT(wire.text(), HasSubstr("\x1b[?1049h"));
  shown->on_finish(busy_view(), busy_view().errors);
  const std::string last = wire.text();
  EXPECT_LT(last.find("\x1b[?1049l"), last.find("By type:"));
  EXPECT_THAT(last, HasSubstr("\x1b[?25h"));
}

TEST_F(DisplayTest, ADisplayThatIsDroppedPutsTheTerminalBack) {
  for (const std::string word : {"progress", "full"}) {
    const Wire wire = Wire::terminal(80, 24);
    display(word, wire.fd())->on_update(busy_view());
    EXPECT_THAT(wire.text(), HasSubstr("\x1b[?25h"));
  }
}

TEST_F(DisplayTest, NoColorIsRespected) {
  const Wire colored = Wire::terminal(80, 24);
  display("detailed", colored.fd())->on_update(busy_view());
  EXPECT_THAT(colored.text(), HasSubstr("\x1b[1m"));
  setenv("NO_COLOR", "1", 1);
  const Wire plain = Wire::terminal(80, 24);
  display("detailed", plain.fd())->on_update(busy_view());
  EXPECT_THAT(plain.text(), Not(HasSubstr("\x1b[1m")));
}

TEST_F(DisplayTest, ADumbTerminalGetsLines) {
  setenv("TERM", "dumb", 1);
  const Wire wire = Wire::terminal(80, 24);
  const auto shown = display("progress", wire.fd());
  shown->on_update(busy_view());
  EXPECT_THAT(wire.text(), Not(HasSubstr("\x1b")));
}

TEST_F(DisplayTest, ASmallTerminalIsNeverOverfull) {
  const Wire wire = Wire::terminal(40, 6);
  display("full", wire.fd())->on_update(busy_view());
  const std::string text = wire.text();
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 5);
}

TEST_F(DisplayTest, JsonIsALineForEachUpdate) {
  const Wire wire = Wire::pipe();
  const auto shown = display("json", wire.fd());
  shown->on_start("crawl", 300);
  shown->on_update(busy_view());
  shown->on_finish(busy_view(), {});
  const std::string text = wire.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  for (const char* word : {"start", "update", "finish"})
    EXPECT_THAT(text, HasSubstr("\"event\":\"" + std::string(word) + "\""));
}

/// Writes down what it is told.
class Diary final : public DashboardProtocol {
 public:
  void on_start(const std::string& name, std::optional<std::uint64_t> total) override {
    note("start " + name + " " + std::to_string(total.value_or(0)));
  }
  void on_update(const DashboardView& view) override {
    note("update");
    if (++updates == 2) twice.set_value();
    if (throws) throw std::runtime_error("a dashboard's own trouble");
    last = view;
  }
  void on_finish(const DashboardView& view, const ErrorSummary& summary) override {
    note("finish " + std::to_string(view.done()) + " " + std::to_string(summary.total_failed));
  }
  std::vector<std::string> entries() {
    const std::lock_guard lock(mutex_);
    return entries_;
  }
  std::promise<void> twice;
  int updates = 0;
  bool throws = false;
  DashboardView last;

 private:
  void note(const std::string& entry) {
    const std::lock_guard lock(mutex_);
    entries_.push_back(entry);
  }
  std::mutex mutex_;
  std::vector<std::string> entries_;
};

PipelineSnapshot five_done() {
  PipelineSnapshot snapshot;
  snapshot.name = "p";
  snapshot.at = TimePoint(Clock::now());
  snapshot.counts = {.accepted = 5, .succeeded = 4, .failed = 1};
  return snapshot;
}

TEST(Show, StartsBeforeAnythingIsFedUpdatesAndFinishes) {
  const auto diary = std::make_shared<Diary>();
  {
    Show show(five_done, diary, {.total = 5});
    EXPECT_EQ(diary->entries().at(0), "start p 5");  // B18: at once, not when feeding has ended.
  }
  const auto entries = diary->entries();
  ASSERT_GE(entries.size(), 3u);
  EXPECT_EQ(entries[1], "update");
  EXPECT_EQ(entries.back(), "finish 5 1");
}

// B25: the end slept a second.
TEST(Show, TheEndDoesNotWaitForTheInterval) {
  const auto diary = std::make_shared<Diary>();
  Show show(five_done, diary, {.interval = std::chrono::hours{1}});
  const auto begin = Clock::now();
  show.finish();
  show.finish();
  EXPECT_LT(Clock::now() - begin, seconds(5));
  EXPECT_EQ(diary->entries().back(), "finish 5 1");
}

TEST(Show, UpdatesAtIntervals) {
  const auto diary = std::make_shared<Diary>();
  Show show(five_done, diary, {.interval = milliseconds(5)});
  EXPECT_EQ(diary->twice.get_future().wait_for(seconds(20)), std::future_status::ready);
}

TEST(Show, WhatADashboardOrASnapshotThrowsIsCounted) {
  const auto diary = std::make_shared<Diary>();
  diary->throws = true;
  {
    Show show(five_done, diary, {.interval = milliseconds(1)});
    EXPECT_EQ(diary->twice.get_future().wait_for(seconds(20)), std::future_status::ready);
    show.finish();
    EXPECT_GE(show.errors(), 2u);
  }
  EXPECT_EQ(diary->entries().back(), "finish 5 1");
  Show broken([]() -> PipelineSnapshot { throw 1; }, std::make_shared<Diary>());
  broken.finish();
  EXPECT_EQ(broken.errors(), 3u);
}

TEST(Show, WithATrackerItHasItemsAndErrors) {
  auto tracker = std::make_shared<StatusTracker>();
  TrackEvent event;
  event.status = Status::failed;
  event.seq = 7;
  event.worker = TrackEvent::no_worker;
  event.error = std::make_shared<const std::pair<std::string, std::string>>("bad", "Bad");
  tracker->on_events({event});
  tracker->flush();
  const auto diary = std::make_shared<Diary>();
  Show show(five_done, diary, {.tracker = tracker});
  show.finish();
  ASSERT_EQ(diary->last.items.size(), 1u);
  EXPECT_EQ(diary->last.items[0].item, "7");
  EXPECT_EQ(diary->last.errors.by_type.at("Bad"), 1u);
}

}  // namespace
}  // namespace espalier::pipeline
