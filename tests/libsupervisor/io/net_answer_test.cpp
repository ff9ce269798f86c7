#include "espalier/supervisor/io/internal/net_probe.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor::testing {
namespace {

using internal::judge_status_line;

TEST(JudgeStatusLine, IsWellFrom200To399) {
  EXPECT_FALSE(judge_status_line("HTTP/1.1 199 Odd").ok);
  EXPECT_TRUE(judge_status_line("HTTP/1.1 200 OK").ok);
  EXPECT_TRUE(judge_status_line("HTTP/1.0 399 Odd").ok);
  EXPECT_FALSE(judge_status_line("HTTP/1.1 400 Bad Request").ok);
}

TEST(JudgeStatusLine, TellsTheStatusInTheServersWords) {
  EXPECT_EQ(judge_status_line("HTTP/1.1 503 Service Unavailable").message,
            "503 Service Unavailable");
  EXPECT_EQ(judge_status_line("HTTP/1.1 204").message, "204");
}

TEST(JudgeStatusLine, TakesNothingElseForHttp) {
  for (const char* line : {"", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 abc", "HTTP/1.1 20", "220 mail",
                           "SSH-2.0-x 200", "HTTP/1.1 1000 Much"}) {
    const auto answer = judge_status_line(line);
    EXPECT_FALSE(answer.ok) << line;
    EXPECT_EQ(answer.message, "no HTTP answer") << line;
  }
}

TEST(SubjectOf, NamesWhatIsAsked) {
  ProbeSpec spec{.kind = ProbeSpec::Kind::tcp, .host = "::1", .port = 80};
  EXPECT_EQ(internal::subject_of(spec), "connect to [::1]:80");
  spec.socket = "/run/x";
  EXPECT_EQ(internal::subject_of(spec), "connect to /run/x");
  spec.kind = ProbeSpec::Kind::http;
  EXPECT_EQ(internal::subject_of(spec), "GET / from /run/x");
  EXPECT_EQ(internal::subject_of({.command = {"pg_isready", "-q"}}), "command 'pg_isready'");
  EXPECT_EQ(internal::subject_of({.kind = ProbeSpec::Kind::function, .function = "well"}),
            "probe 'well'");
}

}  // namespace
}  // namespace espalier::supervisor::testing
