#include "espalier/supervisor/observe/log_output.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <sstream>
#include <thread>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Event exit_event() {
  Event event;
  event.at = std::chrono::system_clock::time_point{1s};
  event.path = "/db";
  event.body = events::ChildExited{{.kind = ExitKind::failed, .code = 1}, 3s};
  return event;
}

std::string content(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

/// Standard error of this process is a pipe, as long as it lives.
class StderrPipe {
 public:
  StderrPipe() {
    EXPECT_EQ(::pipe(ends_), 0);
    ::dup2(ends_[1], STDERR_FILENO);
    ::close(ends_[1]);
  }
  ~StderrPipe() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    ::close(ends_[0]);
  }
  StderrPipe(const StderrPipe&) = delete;
  StderrPipe& operator=(const StderrPipe&) = delete;
  /// Until no writer has it any more.
  std::string read_all() {
    ::dup2(before_, STDERR_FILENO);
    std::string out;
    char bytes[65536];
    for (ssize_t n = 0; (n = ::read(ends_[0], bytes, sizeof bytes)) > 0;)
      out.append(bytes, static_cast<std::size_t>(n));
    return out;
  }

 private:
  int before_ = ::dup(STDERR_FILENO);
  int ends_[2] = {};
};

class LogOutputTest : public testing::Test {
 protected:
  LogOutputTest() {
    std::string name = (std::filesystem::temp_directory_path() / "espalier_log_XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    options_.file = root_ + "/tree.log";
  }
  ~LogOutputTest() override { std::filesystem::remove_all(root_); }

  LogOutput open() {
    auto output = LogOutput::open(options_);
    EXPECT_TRUE(output) << output.error();
    return std::move(*output);
  }
  static void flush(const LogOutput& output) { output.logger()->flush(); }
  [[nodiscard]] std::vector<std::string> lines() const { return lines_of(content(options_.file)); }

  std::string root_;
  LogOptions options_;
};

std::string on_stderr(const LogOptions& options) {
  testing::internal::CaptureStderr();
  {
    const auto output = LogOutput::open(options);
    LogSink sink{output->logger(), options.format};
    sink.publish(exit_event());
    output->logger()->info("by \"hand\"\x1b[2J\n");
    output->logger()->debug("too low");
  }
  return testing::internal::GetCapturedStderr();
}

TEST(LogOnStderr, TextHasTimeLevelAndSentence) {
  const std::string text = on_stderr({});
  EXPECT_TRUE(std::regex_match(
      text, std::regex{R"(\d\d:\d\d:01\.000 WARN  /db exited: exit code 1 after 3 s\n)"
                       R"(\d\d:\d\d:\d\d\.\d\d\d INFO  by "hand"\\x1b\[2J\\n\n)"}))
      << text;
}

TEST(LogOnStderr, ColorsTheLevelOnlyWhenAsked) {
  EXPECT_THAT(on_stderr({.color = true}), HasSubstr("\x1b[33m\x1b[1mWARN \x1b[m /db"));
  EXPECT_THAT(on_stderr({.format = LogFormat::json, .color = true}), Not(HasSubstr("\x1b[")));
}

TEST(LogOnStderr, WhereItIsClosedTheLogIsNowhere) {
  const int before = ::dup(STDERR_FILENO);
  ::close(STDERR_FILENO);
  const auto output = LogOutput::open({});
  if (output) output->logger()->info("to nobody");
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  EXPECT_TRUE(output);
}

TEST(LogOnStderr, EveryJsonLineIsAnObjectWhoeverLogged) {
  const auto lines = lines_of(on_stderr({.format = LogFormat::json}));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(json::parse(lines[0])["type"], "child_exited");
  EXPECT_EQ(json::parse(lines[1])["message"], "by \"hand\"\x1b[2J\n");
}

TEST(LogOnStderr, JournaldHasThePriorityFirst) {
  EXPECT_EQ(on_stderr({.format = LogFormat::journald}),
            "<4>/db exited: exit code 1 after 3 s type=child_exited\n"
            "<6>by \"hand\"\\x1b[2J\\n\n");
}

TEST(LogOnStderr, JournaldIsKnownByWhatTheServiceManagerSays) {
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  struct stat info = {};
  ASSERT_EQ(::fstat(ends[1], &info), 0);
  const auto name = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  ::unsetenv("JOURNAL_STREAM");
  EXPECT_FALSE(is_read_by_journald(ends[1]));
  ::setenv("JOURNAL_STREAM", name.c_str(), 1);
  EXPECT_TRUE(is_read_by_journald(ends[1]));
  EXPECT_FALSE(is_read_by_journald(STDIN_FILENO)) << "another one, redirected elsewhere";
  ::setenv("JOURNAL_STREAM", (name + "0").c_str(), 1);
  EXPECT_FALSE(is_read_by_journald(ends[1]));
  ::unsetenv("JOURNAL_STREAM");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LogOutputTest, AppendsToItsFileWhichOthersCannotRead) {
  for (int run = 0; run < 2; ++run)
    open().logger()->info("run {}", run);
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_THAT(lines()[1], HasSubstr("run 1"));
  struct stat info = {};
  ASSERT_EQ(::stat(options_.file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007U, 0U);
}

TEST_F(LogOutputTest, BeginsALineOfItsOwnWhereAKillHasLeftHalfOfOne) {
  std::ofstream{options_.file} << "whole\nhal";
  open().logger()->info("next");
  ASSERT_EQ(lines().size(), 3U);
  EXPECT_EQ(lines()[1], "hal");
  EXPECT_THAT(lines()[2], HasSubstr("next"));
}

TEST_F(LogOutputTest, SaysWhyAFileCannotBeOpened) {
  options_.file = root_ + "/none/tree.log";
  EXPECT_THAT(LogOutput::open(options_).error(),
              AllOf(HasSubstr("cannot open the log \"" + options_.file + "\""),
                    HasSubstr("No such file or directory"), HasSubstr("observability.logs.file")));
  options_.file = root_ + "/pipe";
  ASSERT_EQ(::mkfifo(options_.file.c_str(), 0600), 0);
  EXPECT_FALSE(LogOutput::open(options_)) << "nobody reads it, and nobody waits";
}

// As logrotate does it: rename, then tell the program.
TEST_F(LogOutputTest, IsRotatedWithoutLosingALine) {
  const auto output = open();
  std::vector<std::string> old;
  int written = 0;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 200; ++i)
      output.logger()->info("line {}", ++written);
    const auto moved = options_.file + "." + std::to_string(round);
    std::filesystem::rename(options_.file, moved);
    old.push_back(moved);
    auto copy = output;
    copy.reopen();
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(options_.file); }));
    const auto size = std::filesystem::file_size(moved);
    output.logger()->info("line {}", ++written);
    flush(output);
    EXPECT_EQ(std::filesystem::file_size(moved), size) << "nothing goes to the old one any more";
  }
  std::string all;
  for (const auto& path : old)
    all += content(path);
  all += content(options_.file);
  const auto lines = lines_of(all);
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(written));
  for (int i = 0; i < written; ++i)
    ASSERT_TRUE(lines[static_cast<std::size_t>(i)].ends_with("line " + std::to_string(i + 1)));
  EXPECT_EQ(output.lost_lines(), 0U);
}

TEST_F(LogOutputTest, GoesOnInTheOldFileWhereItCannotBeOpenedAnew) {
  std::filesystem::create_directory(root_ + "/logs");
  options_.file = root_ + "/logs/tree.log";
  auto output = open();
  std::filesystem::rename(root_ + "/logs", root_ + "/moved");
  output.reopen();
  const auto moved = root_ + "/moved/tree.log";
  ASSERT_TRUE(eventually([&] { return !content(moved).empty(); }));
  output.logger()->info("still here");
  flush(output);
  EXPECT_THAT(lines_of(content(moved)),
              ElementsAre(AllOf(HasSubstr("ERROR"), HasSubstr("cannot open the log"),
                                HasSubstr("it goes on in the old one")),
                          HasSubstr("still here")));
}

// Files of this process may not grow beyond a size: to a writer the same as a full disk.
TEST_F(LogOutputTest, SurvivesAFullDiskAndSaysWhatIsMissingWhereItIsMissing) {
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_IGN);
  auto limit = before;
  auto output = open();
  output.logger()->info("first");
  flush(output);
  limit.rlim_cur = std::filesystem::file_size(options_.file) + 10;  // Half a line.
  StderrPipe pipe;                                                  // A file could not grow either.
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  for (int i = 0; i < 100; ++i) {
    output.logger()->info("lost");
    flush(output);
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  const auto complaints = lines_of(pipe.read_all());
  EXPECT_THAT(complaints, ElementsAre(AllOf(HasSubstr(options_.file), HasSubstr("are lost"),
                                            HasSubstr("File too large"))))
      << "once in a while";
  EXPECT_EQ(output.lost_lines(), 100U);
  output.logger()->info("again");
  flush(output);
  const auto all = lines();
  ASSERT_EQ(all.size(), 4U) << content(options_.file);
  EXPECT_THAT(all[0], HasSubstr("first"));
  EXPECT_EQ(all[1].size(), 10U) << "what had been written of the first one that was lost";
  EXPECT_THAT(all[2], HasSubstr("WARN  100 lines of this log are missing here: File too large"));
  EXPECT_THAT(all[3], HasSubstr("again"));
}

TEST(LogOnAStuckPipe, NobodyWaitsForItNotEvenTheEnd) {
  StderrPipe pipe;
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t lost = 0;
  auto longest = 0ns;
  {
    const auto output = LogOutput::open({});
    for (int i = 0; i < 100'000; ++i) {
      const auto before = std::chrono::steady_clock::now();
      output->logger()->info("{:0200}", i);
      longest =
          std::max(longest, std::chrono::nanoseconds{std::chrono::steady_clock::now() - before});
    }
    lost = output->lost_lines();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);
  EXPECT_LT(longest, 1s);
  EXPECT_GT(lost, 70'000U) << "bounded: some megabytes wait, not all";
}

TEST(LogOnAStuckPipe, TellsWhatIsMissingOnceItIsReadAgain) {
  StderrPipe pipe;
  constexpr std::size_t count = 60'000;
  std::string text;
  std::uint64_t lost = 0;
  {
    auto output = LogOutput::open({});
    for (std::size_t i = 0; i < count; ++i)
      output->logger()->info("{:0200}", i);
    lost = output->lost_lines();
    std::thread reader{[&] { text = pipe.read_all(); }};
    *output = *LogOutput::open({.file = "/dev/null"});  // The last holder: its end.
    reader.join();
  }
  ASSERT_GT(lost, 0U);
  const auto lines = lines_of(text);
  EXPECT_EQ(lines.size(), count - lost + 1);
  EXPECT_THAT(lines.back(),
              HasSubstr(std::to_string(lost) + " lines of this log are missing here: "
                                               "it is written slower than lines come"));
}

}  // namespace
}  // namespace espalier::supervisor
