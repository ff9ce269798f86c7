#include "cli/call_app.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/rehearsal/storm_file.hpp"
#include "espalier/supervisor/observe/journal_file.hpp"
#include "espalier/testing/virtual_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace espalier::cli {
namespace {

namespace sv = supervisor;
using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string tree_with_limit(const std::string& limit) {
  return R"(
supervisor: {name: shop, strategy: RestForOne}
policy:
  restart_limit: )" +
         limit + R"(
  backoff: {initial: 1s, max: 8s, jitter: none}
children:
  - {name: db, command: [/bin/sleep, "1000"]}
  - {name: api, command: [/bin/sleep, "1000"]}
)";
}

class Rehearsal : public ::testing::Test {
 protected:
  Rehearsal() {
    std::string name = std::filesystem::temp_directory_path() / "rehearsal-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    write("strict.yaml", tree_with_limit("{max_restarts: 3, window: 60s}"));
    write("patient.yaml", tree_with_limit("{max_restarts: 100, window: 60s}"));
    write("storm.yaml", R"(
events:
  - {at: 1h, exit: /db, message: disk}
  - {at: 2h, outage: /db, lasts: 2m, after: 200ms}
)");
  }
  ~Rehearsal() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }

  /// What a run of that tree in that storm would have written to its journal.
  void record(const std::string& tree, const std::string& journal) const {
    auto config = sv::load_tree_file(path(tree), {});
    ASSERT_TRUE(config);
    espalier::testing::VirtualTree played{config->tree};
    played.child("/db").ends_as(
        rehearsal::fate_of(*rehearsal::load_storm_file(path("storm.yaml")), "/db", 1));
    sv::JournalSpec spec;
    spec.folder = path(journal);
    auto file = sv::JournalFile::start(spec, [](sv::Severity, const std::string&) {});
    ASSERT_TRUE(file);
    const auto fail = [&](const std::string& message) {
      played.exit("/db", {.kind = sv::ExitKind::failed,
                          .category = sv::FailureCategory::recoverable,
                          .message = message});
    };
    played.advance(1h);
    fail("disk");
    played.advance(1h);
    fail("as the script says");
    played.advance(2h);
    for (auto event : played.events()) {
      event.at += std::chrono::seconds{1'795'327'200};
      (*file)->publish(event);
    }
    EXPECT_TRUE((*file)->flush());
  }

  std::filesystem::path folder_;
};

TEST_F(Rehearsal, SimulateTellsWhatATreeGoesThrough) {
  const auto said =
      call({"simulate", path("strict.yaml"), "--script", path("storm.yaml"), "--for", "4h"});
  EXPECT_EQ(said.code, exit_done) << said.err;
  EXPECT_THAT(said.out,
              AllOf(HasSubstr("4h of "), HasSubstr("2 children, 5 failures"),
                    HasSubstr("/db down for"), HasSubstr("quarantined"), HasSubstr("Timeline")));
}

TEST_F(Rehearsal, SimulateGivesTheSameForTheSameSeed) {
  const auto run = [&](const std::string& seed) {
    return call({"simulate", path("patient.yaml"), "--fail", "/db:3/day", "--fail", "/api:10%",
                 "--seed", seed, "--for", "30d", "-o", "json"})
        .out;
  };
  EXPECT_EQ(run("5"), run("5"));
  EXPECT_NE(run("5"), run("6"));
  EXPECT_NEAR(json::parse(run("5"))["failures"].get<double>(), 90, 45);
}

TEST_F(Rehearsal, SimulateWritesAPicture) {
  const auto said = call({"simulate", path("strict.yaml"), "--picture", path("t.svg")});
  EXPECT_EQ(said.code, exit_done) << said.err;
  EXPECT_GT(std::filesystem::file_size(path("t.svg")), 500u);
  const auto none = call({"simulate", path("strict.yaml"), "--picture", "/nowhere/t.svg"});
  EXPECT_EQ(none.code, exit_failed);
  EXPECT_THAT(none.err, HasSubstr("/nowhere/t.svg"));
}

TEST_F(Rehearsal, SimulateSaysWhatIsWrongWithItsWords) {
  EXPECT_THAT(call({"simulate", path("strict.yaml"), "--for", "long"}).err,
              HasSubstr("--for: expected a span"));
  EXPECT_THAT(call({"simulate", path("strict.yaml"), "--fail", "db"}).err,
              HasSubstr("--fail: expected PATH:RATE"));
  const auto nobody = call({"simulate", path("strict.yaml"), "--fail", "/dp:1%"});
  EXPECT_EQ(nobody.code, exit_config_invalid);
  EXPECT_THAT(nobody.err, HasSubstr("no child is '/dp'; there are: /db, /api"));
  write("bad.yaml", "events:\n  - {exit: db}\n");
  EXPECT_THAT(call({"simulate", path("strict.yaml"), "--script", path("bad.yaml")}).err,
              HasSubstr("bad.yaml:2:12"));
}

TEST_F(Rehearsal, WhatIfUnderTheSamePolicyIsWhatWasRecorded) {
  record("strict.yaml", "journal");
  const auto said = call(
      {"what-if", "--journal", path("journal"), "--config", path("strict.yaml"), "-o", "json"});
  ASSERT_EQ(said.code, exit_done) << said.err;
  const auto both = json::parse(said.out);
  for (const auto* key : {"failures", "restarts", "quarantines", "escalations", "limits_reached"})
    EXPECT_EQ(both["recorded"][key], both["replayed"][key]) << key;
  EXPECT_EQ(both["recorded"]["failures"], 5);
  EXPECT_EQ(both["recorded"]["quarantines"], 1);
  EXPECT_NEAR(both["recorded"]["down_ms"].get<double>(), both["replayed"]["down_ms"].get<double>(),
              1000);
}

TEST_F(Rehearsal, WhatIfUnderAnotherPolicyMeetsTheSameWorld) {
  record("strict.yaml", "journal");
  const auto said =
      call({"what-if", "--journal", path("journal"), "--config", path("patient.yaml")});
  ASSERT_EQ(said.code, exit_done) << said.err;
  EXPECT_THAT(said.out,
              AllOf(HasSubstr("events over"), HasSubstr("recorded"), HasSubstr("patient.yaml"),
                    HasSubstr("quarantines"), HasSubstr("/db")));
}

TEST_F(Rehearsal, WhatIfSaysWhatItCannotRead) {
  const auto said =
      call({"what-if", "--journal", path("nowhere"), "--config", path("strict.yaml")});
  EXPECT_EQ(said.code, exit_failed);
  EXPECT_THAT(said.err, HasSubstr("nowhere"));
}

TEST_F(Rehearsal, CheckAdvises) {
  const auto said = call({"check", "--advise", path("strict.yaml")});
  EXPECT_EQ(said.code, exit_done) << said.err;
  EXPECT_THAT(said.out, AllOf(HasSubstr("/db: if it fails 10 ms after each start: 4 failures"),
                              HasSubstr("a hang would not be noticed"),
                              HasSubstr("a shutdown that every child ignores takes")));
  EXPECT_THAT(call({"check", path("strict.yaml")}).out, Not(HasSubstr("worst case")));
}

}  // namespace
}  // namespace espalier::cli
