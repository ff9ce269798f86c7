#include "espalier/supervisor/core/event.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

template <std::size_t... i>
std::vector<EventBody> one_of_each(std::index_sequence<i...>) {
  return {EventBody{std::in_place_index<i>}...};
}
std::vector<EventBody> one_of_each() {
  return one_of_each(std::make_index_sequence<std::variant_size_v<EventBody>>{});
}

TEST(Event, EveryTypeHasAWordOfItsOwnAndASentence) {
  std::set<std::string> words;
  for (const auto& body : one_of_each()) {
    const std::string word = type_name(body);
    EXPECT_TRUE(words.insert(word).second) << word << " twice";
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << word;
    EXPECT_FALSE(describe(body, "/x").empty()) << word;
  }
  EXPECT_TRUE(words.contains("child_status"));
  EXPECT_TRUE(words.contains("shutdown_stage"));
}

TEST(Event, SentencesLeaveThePathToTheCaller) {
  const ExitRecord exit{.kind = ExitKind::failed,
                        .category = FailureCategory::recoverable,
                        .code = 1,
                        .message = "no space"};
  EXPECT_EQ(describe(events::ChildExited{exit, 3s}, "/db"),
            "exited: exit code 1 (recoverable) after 3 s: no space");
  EXPECT_EQ(describe(events::ChildReady{40ms}, "/db"), "is ready after 40 ms");
  EXPECT_EQ(describe(events::FuseTripped{"child", 6, 5, 60s}, "/db"),
            "child limit tripped: 6 restarts within 60 s, limit 5");
  EXPECT_EQ(describe(events::TreeStartFailed{"/db: no such file"}, "/"),
            "could not start: /db: no such file");
  const auto decision = std::make_shared<RestartDecision>();
  EXPECT_EQ(describe(events::RestartDecided{decision, {"/db"}, 1}, "/db"),
            "decided: permanent, completed -> leave stopped: permanent, and it completed");
}

TEST(Event, TheShutdownSentenceNamesWhatIsLeftOver) {
  auto report = std::make_shared<ShutdownReport>();
  report->cause = "SIGTERM";
  report->took = 1500ms;
  report->children = {{.path = "/a", .outcome = ChildShutdownOutcome::graceful},
                      {.path = "/b", .outcome = ChildShutdownOutcome::aborted}};
  EXPECT_EQ(describe(events::ShutdownCompleted{report}, "/"),
            "shut down in 1.5 s: SIGTERM; 1 graceful; 1 aborted");
  EXPECT_EQ(severity_of(events::ShutdownCompleted{report}), Severity::info);
  report->reconcile.checks = {{.what = "threads", .checked = 2, .found = {"/b", "/c"}}};
  EXPECT_EQ(describe(events::ShutdownCompleted{report}, "/"),
            "shut down in 1.5 s: SIGTERM; 1 graceful; 1 aborted; "
            "left over: 2 threads (/b, ...)");
  EXPECT_EQ(severity_of(events::ShutdownCompleted{report}), Severity::warning);
}

TEST(Event, SeverityFollowsWhatHappened) {
  EXPECT_EQ(severity_of(events::ChildStarting{}), Severity::debug);
  EXPECT_EQ(severity_of(events::ChildExited{}), Severity::info);
  EXPECT_EQ(severity_of(events::ChildExited{{.kind = ExitKind::signalled}, 0s}), Severity::warning);
  EXPECT_EQ(severity_of(events::TreeStopped{"stopped"}), Severity::info);
  EXPECT_EQ(severity_of(events::TreeStopped{"failed"}), Severity::error);
  EXPECT_EQ(severity_of(events::ChildQuarantined{}), Severity::error);
  EXPECT_EQ(severity_of(events::ChildAbortFailed{}), Severity::error);
}

}  // namespace
}  // namespace espalier::supervisor
