#include "cli/call_app.hpp"
#include "cli/running_program.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/supervisor/observe/journal_file.hpp"
#include "espalier/supervisor/observe/journal_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <regex>
#include <sstream>

namespace espalier::cli {
namespace {

namespace sv = supervisor;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(json::parse(line));
  return out;
}

std::string whole_lines(const std::string& text) {
  return text.substr(0, text.rfind('\n') + 1);
}

/// A journal of five events: one a minute from 06:00 on, about /db and /web/front.
class JournalCommand : public testing::Test {
 protected:
  JournalCommand() {
    sv::JournalSpec spec;
    spec.folder = journal_;
    auto file = sv::JournalFile::start(spec, [](sv::Severity, const std::string&) {});
    const auto publish = [&](std::uint64_t n, const std::string& path, sv::EventBody body) {
      sv::Event event;
      event.sequence = n;
      event.at = std::chrono::system_clock::time_point{std::chrono::seconds{1'795'327'200}} +
                 std::chrono::minutes{n - 1};
      event.path = path;
      event.epoch = n < 4 ? 7 : 9;
      event.cause.correlation = n < 3 ? 1 : n;
      event.body = std::move(body);
      (*file)->publish(event);
    };
    sv::ExitRecord exit;
    exit.kind = sv::ExitKind::failed;
    exit.code = 3;
    publish(1, "/db", sv::events::ChildStarting{});
    publish(2, "/db", sv::events::ChildExited{exit, {}});
    publish(3, "/web/front", sv::events::ChildStatusText{"warm\x1b[31m"});
    publish(4, "/web/front", sv::events::ChildFailed{"no more"});
    publish(5, "/", sv::events::TreeStopped{"stopped"});
    EXPECT_TRUE((*file)->flush());
  }

  std::vector<std::uint64_t> shown(std::vector<std::string> options) const {
    std::vector<std::string> words{"journal", "show", journal_, "-o", "ndjson"};
    words.insert(words.end(), options.begin(), options.end());
    const auto outcome = call(words);
    EXPECT_EQ(outcome.code, exit_done) << outcome.err;
    std::vector<std::uint64_t> out;
    for (const auto& line : lines_of(outcome.out))
      out.push_back(line["position"].get<std::uint64_t>());
    return out;
  }
  [[nodiscard]] std::string file() const { return journal_ + "/000000000001.ndjson"; }
  void damage() const {
    auto text = read_file(file());
    text[text.find('\n') + 20] = 'X';
    static_cast<void>(folder_.write("journal/000000000001.ndjson", text));
  }

  TempFolder folder_;
  std::string journal_ = folder_.path("journal");
};

TEST_F(JournalCommand, ShowsEventsAsPeopleReadThem) {
  const auto outcome = call({"journal", "show", journal_});
  EXPECT_EQ(outcome.code, exit_done) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("/db  child_exited: exit code 3"), HasSubstr("tree_stopped"),
                    Not(HasSubstr("crc32")), Not(HasSubstr("position")), Not(HasSubstr("\x1b"))));
}

TEST_F(JournalCommand, FiltersByChildTypeSeverityTimePositionAndNumber) {
  EXPECT_THAT(shown({}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(shown({"--path", "/db"}), ElementsAre(1, 2));
  EXPECT_THAT(shown({"--path", "/web"}), ElementsAre(3, 4)) << "and what is below it";
  EXPECT_THAT(shown({"--path", "/**/f*"}), ElementsAre(3, 4));
  EXPECT_THAT(shown({"--type", "child_exited", "--type", "tree_stopped"}), ElementsAre(2, 5));
  EXPECT_THAT(shown({"--severity", "error"}), ElementsAre(4));
  EXPECT_THAT(shown({"--since", "2026-11-22T06:02:00Z"}), ElementsAre(3, 4, 5));
  EXPECT_THAT(shown({"--since", "2026-11-22 06:02:00.5"}), ElementsAre(4, 5));
  EXPECT_THAT(shown({"--since", "2026-11-22"}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(shown({"--from", "4"}), ElementsAre(4, 5));
  EXPECT_THAT(shown({"-n", "2"}), ElementsAre(4, 5));
  EXPECT_THAT(shown({"-n", "1", "--path", "/db"}), ElementsAre(2));
  EXPECT_THAT(shown({"--until", "2026-11-22T06:02:00Z"}), ElementsAre(1, 2));
  EXPECT_THAT(shown({"--since", "2026-11-22 06:01", "--until", "2026-11-22 06:03"}),
              ElementsAre(2, 3));
}

TEST_F(JournalCommand, FiltersByRunAndByCause) {
  EXPECT_THAT(shown({"--run", "7"}), ElementsAre(1, 2, 3));
  EXPECT_THAT(shown({"--run", "0"}), ElementsAre(4, 5)) << "the last one";
  EXPECT_THAT(shown({"--run=-1"}), ElementsAre(1, 2, 3)) << "the one before";
  const auto too_far = call({"journal", "show", journal_, "--run", "-2"});
  EXPECT_EQ(too_far.code, exit_failed);
  EXPECT_THAT(too_far.err, HasSubstr("has only 2; `espalier journal stats`"));
  EXPECT_EQ(call({"journal", "show", journal_, "--run", "last"}).code, exit_failed);
  const auto first = lines_of(call({"journal", "show", journal_, "-o", "ndjson"}).out).front();
  EXPECT_THAT(shown({"--correlation", first["correlation_id"].get<std::string>()}),
              ElementsAre(1, 2));
}

TEST_F(JournalCommand, ShowsTheNewestFirst) {
  EXPECT_THAT(shown({"--reverse"}), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(shown({"-r", "-n", "2"}), ElementsAre(5, 4));
  EXPECT_THAT(shown({"-r", "--path", "/db"}), ElementsAre(2, 1));
  EXPECT_EQ(call({"journal", "show", journal_, "-r", "-f"}).code, exit_usage);
}

TEST_F(JournalCommand, PrintsOneDocumentForJson) {
  const auto outcome = call({"journal", "show", journal_, "-o", "json", "-n", "1"});
  EXPECT_EQ(outcome.code, exit_done);
  const auto document = json::parse(outcome.out);
  EXPECT_EQ(document["events"].size(), 1U);
  EXPECT_EQ(document["events"][0]["result"], "stopped");
  EXPECT_TRUE(document["problems"].empty());
}

TEST_F(JournalCommand, VerifyTellsThatItHolds) {
  const auto outcome = call({"journal", "verify", journal_});
  EXPECT_EQ(outcome.code, exit_done);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("the journal holds, 5 lines in 1 file"),
                                 HasSubstr("first: 2026-11-22T06:00:00"),
                                 HasSubstr("last:  2026-11-22T06:04:00"), HasSubstr("position 5")));
  static_cast<void>(folder_.write("journal/000000000001.ndjson", read_file(file()) + "{\"ty"));
  EXPECT_THAT(outcome.out, HasSubstr("000000000001.ndjson"));
  const auto torn = call({"journal", "verify", journal_});
  EXPECT_EQ(torn.code, exit_done);
  EXPECT_THAT(torn.out, HasSubstr("stand 4 bytes of another"));
}

TEST_F(JournalCommand, VerifyTellsEveryPlaceThatDoesNotHold) {
  damage();
  const auto outcome = call({"journal", "verify", journal_});
  EXPECT_EQ(outcome.code, exit_failed);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(file() + ":2: its checksum is wrong"),
                                 HasSubstr("1 place where"), HasSubstr("4 lines in 1 file hold")));
  const auto report = json::parse(call({"journal", "verify", journal_, "-o", "json"}).out);
  EXPECT_EQ(report["holds"], false);
  EXPECT_EQ(report["problems"][0]["line"], 2);
  EXPECT_EQ(report["each_file"][0]["damaged"], 1);
  EXPECT_EQ(report["each_file"][0]["lines"], 4);
  const auto show = call({"journal", "show", journal_});
  EXPECT_EQ(show.code, exit_failed) << "what holds is shown, and that it is not all";
  EXPECT_THAT(show.out, HasSubstr("tree_stopped"));
  EXPECT_THAT(show.err, HasSubstr(":2: its checksum is wrong"));
}

TEST_F(JournalCommand, StatsCountWhatIsInIt) {
  const auto text = call({"journal", "stats", journal_});
  EXPECT_EQ(text.code, exit_done);
  EXPECT_THAT(text.out, AllOf(HasSubstr("child_exited"), HasSubstr("FAILURES"), HasSubstr("/db")));
  damage();
  const auto report = json::parse(call({"journal", "stats", journal_, "-o", "json"}).out);
  EXPECT_EQ(report["lines"], 4);
  EXPECT_EQ(report["lines_damaged"], 1);
  EXPECT_EQ(report["runs"], 2);
  EXPECT_EQ(report["each_run"][1]["run"], 9);
  EXPECT_EQ(report["each_run"][1]["first_position"], 4);
  EXPECT_EQ(report["types"]["child_failed"], 1);
}

// A reader that is slow misses events; the journal has them all the same.
TEST_F(JournalCommand, StatsCountOnlyWhatTheJournalItselfMisses) {
  const std::string others =
      R"({"type":"subscriber_lagged","sequence":9,"epoch":9,"reader":"x","reason":"full",)"
      R"("dropped":100})";
  const std::string own = R"({"type":"subscriber_lagged","sequence":9,"epoch":9,"dropped":3})";
  std::string text = read_file(file());
  std::uint64_t position = 6;
  for (const auto& event : {others, own}) {
    const auto begin = text.size();
    text += event;
    sv::seal_journal_line(text, begin, position++);
    text += '\n';
  }
  static_cast<void>(folder_.write("journal/000000000001.ndjson", text));
  const auto report = json::parse(call({"journal", "stats", journal_, "-o", "json"}).out);
  EXPECT_EQ(report["events_missing"], 3);
}

TEST_F(JournalCommand, SaysWhatItCannotDo) {
  const auto none = call({"journal", "show", folder_.path("none")});
  EXPECT_EQ(none.code, exit_failed);
  EXPECT_THAT(none.err, HasSubstr("no such folder or file"));
  const auto plain = call({"journal", "stats", folder_.write("t.yaml", "children: []\n")});
  EXPECT_EQ(plain.code, exit_failed);
  EXPECT_THAT(plain.err, HasSubstr("names no journal; set observability.journal.path"));
  const auto bad = call({"journal", "show", folder_.write("bad.yaml", "childern: []\n")});
  EXPECT_EQ(bad.code, exit_config_invalid);
  EXPECT_THAT(bad.err, HasSubstr("bad.yaml:1:1"));
  EXPECT_EQ(call({"journal", "show", journal_, "--since", "noon"}).code, exit_usage);
  EXPECT_EQ(call({"journal", "show", journal_, "--since", "1h", "--from", "3"}).code, exit_usage);
}

/// A tree whose only child fails every 20 ms, with a journal.
class JournalOfARun : public testing::Test {
 protected:
  [[nodiscard]] std::uint64_t failures() const {
    const auto outcome = call({"journal", "stats", tree_, "-o", "json"});
    if (outcome.code != exit_done) return 0;
    const auto report = json::parse(outcome.out);
    return report["children"].empty() ? 0 : report["children"][0]["failures"].get<std::uint64_t>();
  }
  TempFolder folder_;
  std::string tree_ = folder_.write(
      "tree.yaml", "observability: {journal: {path: " + folder_.path("kept/journal") +
                       ", segment_bytes: 16KiB}}\n"
                       "supervisor: {name: t, restart_limit: {max_restarts: 9999, window: 1s}}\n"
                       "policy: {child_restart_limit: {max_restarts: 9999, window: 1s}, "
                       "backoff: {initial: 20ms, max: 20ms, jitter: none}}\n"
                       "children:\n  - {name: crash, command: [sh, -c, 'exit 3']}\n");
};

TEST_F(JournalOfARun, OutlivesKillsAndHasTheEndOfARunThatEnds) {
  std::uint64_t before = 0;
  for (int round = 0; round < 3; ++round) {
    RunningProgram program(folder_, {"run", tree_, "--log-format", "text"});
    ASSERT_TRUE(eventually([&] { return failures() > before + 5; })) << program.err();
    before = failures();
    program.signal(SIGKILL);
    static_cast<void>(program.wait());
    EXPECT_GE(failures(), before);
  }
  RunningProgram program(folder_, {"run", tree_, "--log-format", "text"});
  ASSERT_TRUE(eventually([&] { return failures() > before + 5; })) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), exit_done) << program.err();
  const auto verify = call({"journal", "verify", tree_, "-o", "json"});
  EXPECT_EQ(verify.code, exit_done) << verify.out;
  EXPECT_EQ(json::parse(verify.out)["unfinished_bytes"], 0);
  const auto all = lines_of(call({"journal", "show", tree_, "-o", "ndjson"}).out);
  EXPECT_EQ(all.back()["type"], "shutdown_completed");
  EXPECT_EQ(json::parse(call({"journal", "stats", tree_, "-o", "json"}).out)["runs"], 4);
}

TEST_F(JournalOfARun, IsFollowed) {
  RunningProgram program(folder_, {"run", tree_, "--log-format", "text"});
  ASSERT_TRUE(eventually([&] { return failures() > 0; })) << program.err();
  const TempFolder other;
  RunningProgram reader(other, {"journal", "show", tree_, "-f", "-n", "1", "--type",
                                "restart_decided", "-o", "ndjson"});
  ASSERT_TRUE(eventually([&] {
    const auto out = reader.out();
    return std::count(out.begin(), out.end(), '\n') > 10;
  })) << reader.err();
  reader.signal(SIGINT);
  EXPECT_EQ(reader.wait(), exit_interrupted);
  const auto seen = lines_of(reader.out());
  for (std::size_t i = 1; i < seen.size(); ++i)
    EXPECT_GT(seen[i]["position"], seen[i - 1]["position"]);
}

TEST_F(JournalOfARun, IsFollowedOverFilesThatAreRemovedUntilTheSignal) {
  const auto tree = folder_.write(
      "small.yaml", std::regex_replace(read_file(tree_), std::regex{"segment_bytes: 16KiB"},
                                       "segment_bytes: 16KiB, max_bytes: 64KiB"));
  RunningProgram program(folder_, {"run", tree, "--log-format", "text"});
  const auto is_there = [&] { return call({"journal", "stats", tree}).code == exit_done; };
  ASSERT_TRUE(eventually(is_there)) << program.err();
  const TempFolder other;
  RunningProgram reader(other, {"journal", "show", tree, "-f", "-o", "ndjson"});
  const auto first_file = folder_.path("kept/journal/000000000001.ndjson");
  ASSERT_TRUE(eventually([&] { return !std::filesystem::exists(first_file); })) << program.err();
  ASSERT_TRUE(eventually([&] { return lines_of(whole_lines(reader.out())).size() > 150; }))
      << reader.err();
  reader.signal(SIGINT);
  EXPECT_EQ(reader.wait(), exit_interrupted);
  const auto seen = lines_of(reader.out());
  std::uint64_t missed = 0;
  for (std::size_t i = 1; i < seen.size(); ++i) {
    const auto before = seen[i - 1]["position"].get<std::uint64_t>();
    const auto here = seen[i]["position"].get<std::uint64_t>();
    ASSERT_GT(here, before);
    missed += here - before - 1;
  }
  std::uint64_t told = 0;  // Of what was removed before it could be read.
  std::istringstream errors{reader.err()};
  for (std::string line; std::getline(errors, line);) {
    ASSERT_THAT(line, HasSubstr("missing before it"));
    told += std::stoull(line.substr(line.find(".ndjson:1: ") + 11));
  }
  EXPECT_EQ(missed, told);
}

TEST_F(JournalOfARun, AFolderThatCannotBeHadStopsNothing) {
  const auto path = folder_.write("kept", "a file in its way");
  RunningProgram program(folder_, {"run", tree_, "--log-format", "text"});
  ASSERT_TRUE(program.wait_for_err("cannot write the journal")) << program.err();
  ASSERT_TRUE(program.wait_for_err("restart in")) << program.err();
  std::filesystem::remove(path);
  EXPECT_TRUE(program.wait_for_err("is written again")) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), exit_done) << program.err();
  EXPECT_EQ(call({"journal", "verify", tree_}).code, exit_done);
  const auto first = lines_of(call({"journal", "show", tree_, "-o", "ndjson"}).out).front();
  EXPECT_EQ(first["type"], "tree_starting") << "the events had waited";
}

TEST_F(JournalOfARun, APlaceThatIsNoFolderIsRefusedByTheCheck) {
  static_cast<void>(folder_.write("file", ""));
  const auto file = folder_.write(
      "t.yaml", "observability: {journal: {path: " + folder_.path("file") + "}}\nchildren: []\n");
  const auto outcome = call({"check", file});
  EXPECT_EQ(outcome.code, exit_config_invalid);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("t.yaml:1:"), HasSubstr("is not a folder")));
}

}  // namespace
}  // namespace espalier::cli
