#include "cli/call_app.hpp"
#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace espalier::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(App, BadUsageIsTwoAndSaysWhatIsWrong) {
  EXPECT_EQ(call({}).code, exit_usage);
  EXPECT_EQ(call({"rnu"}).code, exit_usage);
  EXPECT_EQ(call({"check"}).code, exit_usage);
  EXPECT_EQ(call({"run"}).code, exit_usage);
  EXPECT_EQ(call({"version", "--yaml"}).code, exit_usage);
  const Outcome format = call({"run", "x.yaml", "--log-format", "xml"});
  EXPECT_EQ(format.code, exit_usage);
  EXPECT_THAT(format.err, HasSubstr("--log-format"));
  EXPECT_EQ(format.out, "");
  EXPECT_THAT(call({"run", "x.yaml", "--color", "red"}).err, HasSubstr("--color"));
}

TEST(App, AWordNobodyKnowsIsNamedWithTheOneThatWasMeant) {
  const auto said = [](const std::vector<std::string>& words) {
    const Outcome outcome = call(words);
    EXPECT_EQ(outcome.code, exit_usage);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_EQ(
      said({"restrat", "/a"}),
      "espalier: \"restrat\" is no command (did you mean restart?); espalier --help lists them\n");
  EXPECT_THAT(said({"audit", "verfy", "x"}), AllOf(HasSubstr("\"verfy\""), HasSubstr("verify"),
                                                   HasSubstr("espalier audit --help")));
  EXPECT_THAT(said({"add", "f:/a", "--name", "fox", "--reson", "x"}),
              AllOf(HasSubstr("add has no option \"--name\""), HasSubstr("espalier add --help")));
  EXPECT_THAT(said({"stop", "/a", "--reson=x"}), HasSubstr("\"--reson\" (did you mean --reason?)"));
  EXPECT_THAT(said({"check", "a.yaml", "b.yaml"}), HasSubstr("check does not take \"b.yaml\""));
  EXPECT_THAT(said({"run", "\x1b[2J", "y", "z"}), Not(HasSubstr("\x1b")));
}

TEST(App, APathBeginsWithASlash) {
  for (const char* const verb : {"status", "show", "restart", "logs"}) {
    const Outcome outcome = call({verb, "db"});
    EXPECT_EQ(outcome.code, exit_usage) << verb;
    EXPECT_THAT(outcome.err, HasSubstr("'db' is no path: a path begins with /, like /db")) << verb;
  }
  EXPECT_EQ(call({"status", ""}).code, exit_usage);
}

TEST(App, HelpNamesCommandsAndExitCodes) {
  const Outcome help = call({"--help"});
  EXPECT_EQ(help.code, exit_done);
  for (const char* word : {"run", "check", "config", "template", "schema", "version", "130"}) {
    EXPECT_THAT(help.out, HasSubstr(word));
  }
}

TEST(App, VersionIsForPeopleOrPrograms) {
  EXPECT_THAT(call({"version"}).out, HasSubstr("espalier "));
  EXPECT_THAT(call({"version", "--json"}).out, HasSubstr(R"({"name":"espalier","version":")"));
}

TEST(App, AFileThatIsNotThereIsAnInvalidConfiguration) {
  for (const char* command : {"check", "config", "run"}) {
    const Outcome outcome = call({command, "/no/such/tree.yaml"});
    EXPECT_EQ(outcome.code, exit_config_invalid) << command;
    EXPECT_EQ(outcome.out, "") << command;
  }
  EXPECT_THAT(call({"check", "/no/such/tree.yaml"}).err, HasSubstr("/no/such/tree.yaml"));
}

TEST(App, TemplateAndSchemaGoToStandardOutput) {
  EXPECT_THAT(call({"template"}).out, HasSubstr("children"));
  EXPECT_THAT(call({"schema"}).out, HasSubstr("\"$schema\""));
}

std::string written(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

TEST(Plan, AgainstNothingIsEverythingInStartOrder) {
  const std::string file = written("plan.yaml",
                                   "children:\n  - {name: b, command: [cat], dependencies: [a]}\n"
                                   "  - {name: a, children: [{name: c, command: [cat]}]}\n");
  const Outcome plan = call({"plan", file, "--against", ""});
  EXPECT_EQ(plan.code, exit_done) << plan.err;
  EXPECT_EQ(plan.out, "start /a\nstart /a/c\nstart /b\n");
  EXPECT_EQ(call({"plan", file, "--against", file}).out, "nothing to do\n");
}

TEST(Plan, AgainstAFileIsWhatDiffers) {
  const std::string old = written("old.yaml", "children: [{name: a, command: [cat]}]\n");
  const std::string file = written("new.yaml",
                                   "children: [{name: a, command: [cat], user_group: \"0\"}, "
                                   "{name: b, command: [cat]}]\n");
  EXPECT_EQ(call({"plan", file, "--against", old, "-o", "json"}).out,
            "{\"steps\":[\"restart /a: user group none -> 0\",\"start /b\"]}\n");
  EXPECT_EQ(call({"plan", file, "-o", "xml"}).code, exit_usage);
  EXPECT_EQ(call({"plan", file, "--against", "/no/such.yaml"}).code, exit_config_invalid);
}

TEST(Check, WarningsAreToldAndNoFault) {
  const Outcome check = call({"check", written("odd.yaml",
                                               "children: [{name: a, command: [cat], role: job, "
                                               "restart: permanent}]\n")});
  EXPECT_EQ(check.code, exit_done);
  EXPECT_THAT(check.err, HasSubstr("odd.yaml:1:58: children[0].restart: a job is done once"));
}

TEST(App, TheVersionIsAlsoWhereOthersHaveIt) {
  const auto asked = call({"--version"});
  EXPECT_EQ(asked.code, exit_done);
  EXPECT_EQ(asked.out, call({"version"}).out.substr(0, asked.out.size() - 1) + "\n");
}

TEST(App, CheckTellsProgramsWhatIsWrongAndWhere) {
  const auto fine =
      call({"check", ESPALIER_SOURCE_DIR "/examples/config/minimal.yaml", "-o", "json"});
  EXPECT_EQ(fine.code, exit_done);
  const auto good = nlohmann::json::parse(fine.out);
  EXPECT_EQ(good["ok"], true);
  EXPECT_FALSE(good["start_order"].empty());
  EXPECT_EQ(fine.err, "");
  const auto faulty = call({"check", "/no/such/tree.yaml", "-o", "json"});
  EXPECT_EQ(faulty.code, exit_config_invalid);
  const auto bad = nlohmann::json::parse(faulty.out);
  EXPECT_EQ(bad["ok"], false);
  EXPECT_EQ(bad["problems"][0]["file"], "/no/such/tree.yaml");
  EXPECT_THAT(bad["problems"][0]["message"].get<std::string>(), HasSubstr("no such file"));
}

}  // namespace
}  // namespace espalier::cli
