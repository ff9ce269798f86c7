#include "espalier/supervisor/observe/log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::string hex_of_exit = "00000000000000070392754934ea1539";

Event exit_event() {
  Event event;
  event.sequence = 9;
  event.epoch = 7;
  event.at = std::chrono::system_clock::time_point{1s};
  event.path = "/db";
  event.generation = 2;
  event.attempt = 1;
  event.cause.correlation = 8;
  event.body = events::ChildExited{{.kind = ExitKind::failed, .code = 1}, 3s};
  return event;
}

// What a LogSink makes of a program's own logger.
class Log {
 public:
  explicit Log(LogFormat format, const char* pattern = "%l %v")
      : Log{LogSinkOptions{.format = format}, pattern} {}
  explicit Log(LogSinkOptions options, const char* pattern = "%l %v")
      : sink{logger_, std::move(options)} {
    logger_->set_pattern(pattern);
    logger_->set_level(spdlog::level::debug);
  }
  std::string text() const { return out_.str(); }
  spdlog::logger& logger() { return *logger_; }

 private:
  std::ostringstream out_;
  std::shared_ptr<spdlog::logger> logger_ = std::make_shared<spdlog::logger>(
      "own", std::make_shared<spdlog::sinks::ostream_sink_st>(out_));

 public:
  LogSink sink;
};

TEST(LogSink, TextNamesThePathAndTheSentence) {
  Log log{LogFormat::text};
  log.sink.publish(exit_event());
  log.sink.write({.path = "/db", .text = "hello"});
  log.sink.write({.path = "/db", .is_stderr = true, .text = "oops", .truncated = true});
  EXPECT_EQ(log.text(),
            "warning /db exited: exit code 1 after 3 s\n"
            "info /db stdout: hello\n"
            "info /db stderr: oops [cut]\n");
}

TEST(LogSink, TextEscapesWhatWouldDriveTheTerminal) {
  Log log{LogFormat::text, "%v"};
  log.sink.write({.path = "/db", .text = "\x1b[2J\x7f\r\n\t\xff\xe2\x80\xae \xc3\xa9 \\n"});
  EXPECT_EQ(log.text(), "/db stdout: \\x1b[2J\\x7f\\r\\n\\t\xef\xbf\xbd\\u202e \xc3\xa9 \\n\n");
  Log failure{LogFormat::text, "%v"};
  auto event = exit_event();
  event.body = events::ChildExited{{.kind = ExitKind::panicked, .message = "a\n\x1b[31mb"}, 1s};
  failure.sink.publish(event);
  EXPECT_EQ(failure.text(), "/db exited: panicked after 1 s: a\\n\\x1b[31mb\n");
}

TEST(LogSink, JsonCarriesTheFields) {
  Log log{LogFormat::json, "%v"};
  log.sink.publish(exit_event());
  EXPECT_EQ(json::parse(log.text()), json::parse(R"({
    "at": "1970-01-01T00:00:01.000000Z", "severity": "warning", "system": "cpp",
    "type": "child_exited", "path": "/db", "generation": 2, "attempt": 1,
    "correlation_id": ")" + hex_of_exit + R"(", "message": "exited: exit code 1 after 3 s"})"));
  Log output{LogFormat::json, "%v"};
  output.sink.write({.path = "/db", .generation = 2, .is_stderr = true, .text = "\x1b\xff"});
  auto line = json::parse(output.text());
  EXPECT_TRUE(line.contains("at"));
  line.erase("at");
  EXPECT_EQ(line, json::parse(R"({"severity": "info", "system": "cpp", "path": "/db",
    "generation": 2, "stream": "stderr", "message": "\u001b\ufffd"})"));
}

TEST(LogSink, RespectsTheLevelOfTheLogger) {
  Log log{LogFormat::text};
  log.logger().set_level(spdlog::level::warn);
  log.sink.write({.path = "/db", .text = "hello"});
  auto event = exit_event();
  event.body = events::ChildStarting{};
  log.sink.publish(event);
  EXPECT_EQ(log.text(), "");
  log.sink.publish(exit_event());
  EXPECT_NE(log.text(), "");
}

class BrokenSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg&) override { throw 1; }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

TEST(LogSink, WhatALoggerThrowsEndsThere) {
  auto logger = std::make_shared<spdlog::logger>("broken", std::make_shared<BrokenSink>());
  int complaints = 0;
  logger->set_error_handler([&](const std::string&) { ++complaints; });
  LogSink sink{logger, LogFormat::text};
  EXPECT_NO_THROW(sink.publish(exit_event()));
  EXPECT_NO_THROW(sink.write({.path = "/db", .text = "x"}));
  EXPECT_EQ(complaints, 2) << "the sink was really reached";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

// Whoever may choose a name or a message may not choose how long and how many lines of the log are.
TEST(LogSink, AMegabyteOfControlCharactersIsOneShortLine) {
  std::string evil(1U << 20U, '\n');
  evil.replace(0, 8, "\x1b[31m\xe2\x80\xae");
  auto event = exit_event();
  event.path = "/" + evil;
  event.body = events::ChildExited{{.kind = ExitKind::panicked, .message = evil}, 1s};
  for (const auto format : {LogFormat::text, LogFormat::json, LogFormat::journald}) {
    Log log{format, "%v"};
    log.sink.publish(event);
    log.sink.write({.path = event.path, .text = evil});
    const auto lines = lines_of(log.text());
    ASSERT_EQ(lines.size(), 2U);
    for (const auto& line : lines) {
      EXPECT_LT(line.size(), format == LogFormat::json ? 128U * 1024 : 48U * 1024);
      EXPECT_EQ(line.find_first_of("\x1b\r"), std::string::npos);
      if (format == LogFormat::json) {
        EXPECT_EQ(json::parse(line)["truncated"], true);
      } else {
        EXPECT_NE(line.find("[cut]"), std::string::npos);
        EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos) << "it would turn the line around";
      }
    }
  }
}

TEST(LogSink, NoCharacterIsCutInTwo) {
  std::string text(8191, 'x');
  text += "\xc3\xa9";
  Log log{LogFormat::text, "%v"};
  log.sink.write({.path = "/db", .text = text});
  EXPECT_EQ(log.text(), "/db stdout: " + std::string(8191, 'x') + " [cut]\n");
}

TEST(LogSink, JournaldHasTheFieldsInTheText) {
  Log log{LogFormat::journald, "%v"};
  log.sink.publish(exit_event());
  EXPECT_EQ(log.text(),
            "/db exited: exit code 1 after 3 s type=child_exited generation=2 attempt=1 "
            "correlation_id=" +
                hex_of_exit + "\n");
}

TEST(LogSink, JsonNamesTheTargetWhereThereIsOne) {
  Log log{{.format = LogFormat::json, .target_id = "shop-a"}, "%v"};
  log.sink.publish(exit_event());
  log.sink.write({.path = "/db", .text = "hello"});
  for (const auto& line : lines_of(log.text()))
    EXPECT_EQ(json::parse(line)["target_id"], "shop-a");
}

TEST(LogSink, SaysHowManyLinesOfAKindWereLeftOut) {
  LogSinkOptions options;
  options.event_rate = {2, 10ms};
  options.output_rate = {1, 10ms};
  Log log{options};
  auto other = exit_event();
  other.path = "/web";
  for (int i = 0; i < 5; ++i)
    log.sink.publish(exit_event());
  log.sink.publish(other);
  for (int i = 0; i < 3; ++i)
    log.sink.write({.path = "/db", .text = "hello"});
  EXPECT_EQ(lines_of(log.text()).size(), 4U) << log.text();
  EXPECT_EQ(log.sink.left_out_lines(), 5U);
  std::this_thread::sleep_for(20ms);
  log.sink.tick();
  auto lines = lines_of(log.text());
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[4], "warning 3 more lines like this were left out (child_exited, /db)");
  EXPECT_EQ(lines[5], "info 2 more lines like this were left out (output, /db)");
  log.sink.publish(exit_event());
  EXPECT_EQ(lines_of(log.text()).size(), 7U) << "after the window it is logged again";
}

TEST(LogSink, SaysAtTheEndWhatWasLeftOutAndInJsonToo) {
  std::ostringstream out;
  auto logger = std::make_shared<spdlog::logger>(
      "own", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
  logger->set_pattern("%v");
  {
    LogSinkOptions options;
    options.format = LogFormat::json;
    options.event_rate = {1, 1h};
    LogSink sink{logger, options};
    sink.publish(exit_event());
    sink.publish(exit_event());
  }
  const auto lines = lines_of(out.str());
  ASSERT_EQ(lines.size(), 2U);
  auto line = json::parse(lines[1]);
  EXPECT_TRUE(line.contains("at"));
  line.erase("at");
  EXPECT_EQ(line,
            json::parse(R"json({"severity": "warning", "system": "cpp", "type": "lines_left_out",
    "of_type": "child_exited", "path": "/db", "lines": 1,
    "message": "1 more line like this was left out (child_exited, /db)"})json"));
}

TEST(LogSink, LogsAllWhereNothingElseIsSaid) {
  Log log{LogFormat::text};
  for (int i = 0; i < 1000; ++i)
    log.sink.publish(exit_event());
  EXPECT_EQ(lines_of(log.text()).size(), 1000U);
}

}  // namespace
}  // namespace espalier::supervisor
