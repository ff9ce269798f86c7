#include "espalier/supervisor/trace/span_builder.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t epoch = 1'795'273'653'000'000;

// Events of a tree as its supervisors publish them, a millisecond apart.
class SpanBuilderTest : public testing::Test {
 protected:
  std::uint64_t tell(const std::string& path, EventBody body, std::uint64_t caused_by = 0,
                     std::uint64_t correlation = 0) {
    Event event{.sequence = ++last_,
                .epoch = epoch,
                .at = Span::Time{} + last_ * 1ms,
                .path = path,
                .generation = generation_,
                .attempt = 1,
                .cause = {caused_by, correlation == 0 ? last_ : correlation},
                .body = std::move(body)};
    builder_.add(event, spans_);
    return last_;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& span : spans_)
      result.push_back(span.name);
    return result;
  }
  [[nodiscard]] const Span& span(const std::string& name) const {
    return *std::ranges::find(spans_, name, &Span::name);
  }
  [[nodiscard]] static std::string attribute(const Span& span, const std::string& key) {
    for (const auto& [name, value] : span.attributes) {
      if (name != key) continue;
      if (const auto* text = std::get_if<std::string>(&value)) return *text;
      if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
      return std::get<bool>(value) ? "true" : "false";
    }
    return "(none)";
  }
  static events::ChildExited crash() {
    return {{.kind = ExitKind::failed, .category = FailureCategory::recoverable, .code = 1}, 1s};
  }
  static events::RestartDecided decided(Verdict verdict) {
    auto decision = std::make_shared<RestartDecision>();
    decision->exit = crash().exit;
    decision->verdict = verdict;
    decision->delay = 250ms;
    return {decision, {"/db"}, 1};
  }

  SpanBuilder builder_;
  std::vector<Span> spans_;
  std::uint64_t last_ = 0;
  std::uint64_t generation_ = 1;
};

TEST_F(SpanBuilderTest, AnAttemptLastsFromItsStartToItsExit) {
  const auto start = tell("/db", events::ChildStarting{});
  tell("/db", events::ChildReady{1ms}, start, start);
  EXPECT_THAT(names(), ElementsAre("start"));
  tell("/db", crash());
  EXPECT_THAT(names(), ElementsAre("start", "attempt"));
  const auto& attempt = span("attempt");
  EXPECT_EQ(attempt.begin, Span::Time{} + 1ms);
  EXPECT_EQ(attempt.end, Span::Time{} + 3ms);
  EXPECT_EQ(attempt.trace, trace_id_of(epoch, start));
  EXPECT_EQ(attribute(attempt, "espalier.path"), "/db");
  EXPECT_EQ(attribute(attempt, "espalier.exit.code"), "1");
  EXPECT_EQ(attempt.error, "exit code 1 (recoverable)");
  EXPECT_EQ(span("start").parent, attempt.id);
  EXPECT_NE(span("start").id, attempt.id);
  EXPECT_FALSE(span("start").error);
}

TEST_F(SpanBuilderTest, WhatHappenedMeanwhileIsAMomentOfTheAttempt) {
  tell("/db", events::ChildStarting{});
  tell("/db", events::ChildReady{1ms});
  tell("/db", events::ChildStatusText{"warming up"});
  tell("/other", events::ChildStatusText{"not about it"});
  tell("/db", crash());
  std::vector<std::string> moments;
  for (const auto& moment : span("attempt").moments)
    moments.push_back(moment.name + ": " + moment.message);
  EXPECT_THAT(moments,
              ElementsAre("child_ready: is ready after 1 ms", "child_status: status: warming up"));
}

TEST_F(SpanBuilderTest, MomentsAreBounded) {
  tell("/db", events::ChildStarting{});
  for (int i = 0; i < 100; ++i)
    tell("/db", events::ChildStatusText{"working"});
  tell("/db", crash());
  EXPECT_EQ(span("attempt").moments.size() + span("attempt").moments_left_out, 100u);
  EXPECT_EQ(span("attempt").moments.size(), 32u);
}

TEST_F(SpanBuilderTest, AnIncidentIsOneTraceFromTheExitToTheNewAttempt) {
  const auto first = tell("/db", events::ChildStarting{});
  const auto exit = tell("/db", crash());
  const auto decision = tell("/db", decided(Verdict::restart_after), exit, exit);
  const auto restarted = tell("/db", events::ChildRestarted{}, decision, exit);
  generation_ = 2;
  tell("/db", events::ChildStarting{}, restarted, exit);
  tell("/db", crash());
  EXPECT_THAT(names(), ElementsAre("start", "attempt", "decision", "start", "attempt"));
  const auto& made = span("decision");
  EXPECT_EQ(made.trace, trace_id_of(epoch, exit));
  EXPECT_EQ(made.parent, 0u);
  EXPECT_EQ(made.begin, Span::Time{} + exit * 1ms);
  EXPECT_EQ(made.end, Span::Time{} + decision * 1ms);
  EXPECT_EQ(attribute(made, "espalier.verdict"), "restart_after");
  EXPECT_EQ(attribute(made, "espalier.delay_ms"), "250");
  EXPECT_FALSE(made.error);
  ASSERT_TRUE(made.link);
  EXPECT_EQ(made.link->trace, trace_id_of(epoch, first));
  EXPECT_EQ(made.link->span, span("attempt").id);
  const auto& second = spans_.back();
  EXPECT_EQ(second.trace, made.trace);
  EXPECT_EQ(second.parent, made.id) << "through the event that counted the restart";
}

TEST_F(SpanBuilderTest, AChildThatDoesNotStartHasAnErrorInBoth) {
  tell("/db", events::ChildStarting{});
  tell("/db", events::ChildStartFailed{"no such file"});
  EXPECT_EQ(span("start").error, "no such file");
  EXPECT_EQ(span("attempt").error, "no such file");
}

TEST_F(SpanBuilderTest, AnEndThatWasWantedIsNoError) {
  tell("/db", events::ChildStarting{});
  tell("/db", events::ChildReady{});
  tell("/db", events::ChildExited{{.kind = ExitKind::stopped}, 1s});
  EXPECT_FALSE(span("attempt").error);
}

TEST_F(SpanBuilderTest, ToGiveUpIsAnError) {
  tell("/db", decided(Verdict::escalate));
  EXPECT_TRUE(span("decision").error);
}

TEST_F(SpanBuilderTest, TheStartAndTheShutdownOfTheTreeAreSpansAbove) {
  const auto start = tell("/", events::TreeStarting{});
  tell("/db", events::ChildStarting{}, start, start);
  tell("/", events::TreeStarted{2ms}, start, start);
  const auto asked = tell("/", events::ShutdownRequested{"SIGTERM"});
  tell("/api", events::ShutdownRequested{"its supervisor"}, asked, asked);
  tell("/db", crash(), asked, asked);
  tell("/", events::ShutdownCompleted{}, asked, asked);
  EXPECT_THAT(names(), ElementsAre("tree_start", "start", "attempt", "shutdown"));
  EXPECT_EQ(span("attempt").parent, span("tree_start").id);
  EXPECT_EQ(span("shutdown").begin, Span::Time{} + asked * 1ms);
}

TEST_F(SpanBuilderTest, WhatIsOpenAtTheEndIsMarked) {
  tell("/db", events::ChildStarting{});
  EXPECT_THAT(names(), IsEmpty());
  builder_.finish(Span::Time{} + 1s, spans_);
  EXPECT_THAT(names(), ElementsAre("start", "attempt"));
  EXPECT_EQ(attribute(span("attempt"), "espalier.unfinished"), "true");
  EXPECT_EQ(span("attempt").end, Span::Time{} + 1s);
  builder_.finish(Span::Time{} + 2s, spans_);
  EXPECT_EQ(spans_.size(), 2u);
}

TEST_F(SpanBuilderTest, ACauseOfLongAgoIsForgotten) {
  const auto start = tell("/", events::TreeStarting{});
  for (int i = 0; i < 20'000; ++i)
    tell("/x", events::ChildStatusText{"on"});
  tell("/db", events::ChildStarting{}, start, start);
  tell("/db", crash());
  EXPECT_EQ(span("attempt").parent, 0u);
  EXPECT_EQ(span("attempt").trace, trace_id_of(epoch, start));
}

}  // namespace
}  // namespace espalier::supervisor
