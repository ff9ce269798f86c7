#include "espalier/supervisor/observe/log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <regex>
#include <sstream>
#include <stdexcept>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

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
  explicit Log(LogFormat format, const char* pattern = "%l %v") : sink{logger_, format} {
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
    "correlation_id": "7-8", "message": "exited: exit code 1 after 3 s"})"));
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

std::string on_stderr(const LogOptions& options) {
  testing::internal::CaptureStderr();
  {
    const auto logger = make_stderr_logger(options);
    LogSink sink{logger, options.format};
    sink.publish(exit_event());
    logger->info("by \"hand\"");
    logger->debug("too low");
  }
  return testing::internal::GetCapturedStderr();
}

TEST(StderrLogger, TextHasTimeLevelAndSentence) {
  EXPECT_TRUE(std::regex_match(
      on_stderr({}), std::regex{R"(\d\d:\d\d:01\.000 WARN  /db exited: exit code 1 after 3 s\n)"
                                R"(\d\d:\d\d:\d\d\.\d\d\d INFO  by "hand"\n)"}));
}

TEST(StderrLogger, ColorsTheLevelOnlyWhenAsked) {
  EXPECT_THAT(on_stderr({.color = true}), testing::HasSubstr("\x1b["));
  EXPECT_THAT(on_stderr({.format = LogFormat::json, .color = true}),
              testing::Not(testing::HasSubstr("\x1b[")));
}

TEST(StderrLogger, EveryJsonLineIsAnObjectWhoeverLogged) {
  std::istringstream in{on_stderr({.format = LogFormat::json})};
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  EXPECT_EQ(json::parse(line)["type"], "child_exited");
  ASSERT_TRUE(std::getline(in, line));
  EXPECT_EQ(json::parse(line)["message"], "by \"hand\"");
  EXPECT_FALSE(std::getline(in, line));
}

}  // namespace
}  // namespace espalier::supervisor
