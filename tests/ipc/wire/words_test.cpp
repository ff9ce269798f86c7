#include "espalier/ipc/wire/words.hpp"

#include "espalier/ipc/wire/nearest.hpp"
#include "espalier/ipc/wire/timestamp.hpp"
#include "espalier/supervisor/observe/json_object.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;

// As many words as values, none twice, and the value behind the last has none.
template <class E>
void expect_words() {
  std::set<std::string> words;
  for (std::size_t i = 0; i < WireWords<E>::count; ++i)
    words.insert(WireWords<E>::word(i));
  EXPECT_EQ(words.size(), WireWords<E>::count);
  words.erase("unknown");
  words.erase("");
  EXPECT_EQ(words.size(), WireWords<E>::count);
  const std::string behind = WireWords<E>::word(WireWords<E>::count);
  EXPECT_TRUE(behind.empty() || behind == "unknown") << behind;
}

TEST(Words, EveryValueHasItsOwn) {
  expect_words<Lifecycle>();
  expect_words<WireIntent>();
  expect_words<CommandStatus>();
  expect_words<MethodClass>();
  expect_words<StateMode>();
  expect_words<LogStream>();
  expect_words<ErrorCode>();
  expect_words<Stage>();
  expect_words<sv::ChildPhase>();
  expect_words<sv::ChildKind>();
  expect_words<sv::Strategy>();
  expect_words<sv::SeverityClass>();
  expect_words<sv::WorkRole>();
  expect_words<sv::Severity>();
  expect_words<sv::HealthReport::State>();
}

TEST(Words, EveryPhaseHasALifecycle) {
  using enum sv::ChildPhase;
  const std::pair<sv::ChildPhase, Lifecycle> due[] = {
      {idle, Lifecycle::pending},       {blocked, Lifecycle::pending},
      {gated, Lifecycle::pending},      {backing_off, Lifecycle::backing_off},
      {queued, Lifecycle::queued},      {starting, Lifecycle::starting},
      {running, Lifecycle::ready},      {suspended, Lifecycle::running},
      {stopping, Lifecycle::stopping},  {aborting, Lifecycle::stopping},
      {stopped, Lifecycle::stopped},    {paused, Lifecycle::stopped},
      {removed, Lifecycle::stopped},    {held, Lifecycle::failed},
      {quarantined, Lifecycle::failed}, {abandoned, Lifecycle::failed},
  };
  static_assert(std::size(due) == WireWords<sv::ChildPhase>::count);
  for (const auto& [phase, lifecycle] : due)
    EXPECT_EQ(lifecycle_of(phase), lifecycle) << to_string(phase);
}

TEST(Words, AnIntentKeepsItsWordButForActive) {
  using enum sv::Intent;
  EXPECT_EQ(intent_of(run), WireIntent::active);
  for (const auto intent : {stopped, paused, quarantined, removed})
    EXPECT_STREQ(to_string(intent_of(intent)), to_string(intent));
}

TEST(Nearest, FindsWhatWasMeantAndNothingElse) {
  constexpr std::array<std::string_view, 3> words{"path", "depth", "include"};
  EXPECT_EQ(nearest("pth", words), "path");
  EXPECT_EQ(nearest("dept", words), "depth");
  EXPECT_EQ(nearest("inclusive", words), "");
  EXPECT_EQ(nearest("includes", words), "include");
  for (const auto* far : {"", "x", "colour", "p"})
    EXPECT_EQ(nearest(far, words), "") << far;
  EXPECT_EQ(nearest(std::string(100000, 'p'), words), "");
  EXPECT_EQ(nearest("path", {}), "");
}

TEST(Nearest, AStrangersWordIsCutBetweenCodePoints) {
  EXPECT_EQ(in_quotes("a\n"), "\"a\\n\"");
  const auto cut = in_quotes(std::string(63, 'x') + "\xE4\xBD\xA0\xE5\xA5\xBD");
  EXPECT_EQ(cut, "\"" + std::string(63, 'x') + "\"...");
}

TEST(Timestamps, ComeBackAsTheyWere) {
  for (const auto us : {0us, 1us, 1769860987001234us, -1us, -86400000000us}) {
    const Timestamp time{us};
    std::string text;
    sv::json::append_timestamp(text, time);
    EXPECT_EQ(parse_timestamp(text), time) << text;
  }
}

TEST(Timestamps, TheFractionMayHaveOneToNineDigits) {
  const Timestamp second =
      std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h + 3min + 7s;
  EXPECT_EQ(parse_timestamp("2026-01-31T12:03:07Z"), second);
  EXPECT_EQ(parse_timestamp("2026-01-31T12:03:07.5Z"), second + 500ms);
  EXPECT_EQ(parse_timestamp("2026-01-31T12:03:07.001234Z"), second + 1234us);
  EXPECT_EQ(parse_timestamp("2026-01-31T12:03:07.001234999Z"), second + 1234us);
}

TEST(Timestamps, AnythingElseIsNone) {
  for (const auto* text :
       {"", "2026-01-31", "2026-01-31T12:03:07", "2026-01-31T12:03:07+00:00",
        "2026-01-31T12:03:07.Z", "2026-01-31T12:03:07.0000000001Z", "2026-01-31 12:03:07Z",
        "2026-02-30T12:03:07Z", "2026-13-01T12:03:07Z", "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:07Z", "2026-01-31T12:03:60Z", "2026-01-31T12:03:07ZZ",
        "2026-01-31T12:03:07z", " 2026-01-31T12:03:07Z", "26-01-31T12:03:07Z",
        "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "+026-01-31T12:03:07Z"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace espalier::ipc
