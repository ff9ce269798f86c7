#include "espalier/cli/app.hpp"

#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace espalier::cli {
namespace {

using testing::HasSubstr;

struct Outcome {
  int code = 0;
  std::string out = {};
  std::string err = {};
};

Outcome call(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_app(arguments, {out, err});
  return {code, out.str(), err.str()};
}

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

}  // namespace
}  // namespace espalier::cli
