#include "cli/remote_fixture.hpp"
#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace espalier::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class SupportBundleTest : public RemoteTest {
 protected:
  json bundle(const std::string& options = "") const {
    const auto outcome = sh("$E support-bundle --to - " + options);
    EXPECT_EQ(outcome.code, exit_done) << outcome.err;
    return json::parse(outcome.out);
  }
  [[nodiscard]] static std::vector<std::string> left_out_of(const json& bundle) {
    std::vector<std::string> parts;
    for (const auto& one : bundle.at("left_out"))
      parts.push_back(one.at("part").get<std::string>());
    return parts;
  }
};

TEST_F(SupportBundleTest, HoldsWhatIsKnownOfTheTreeAndTheMachine) {
  start(failing);
  ASSERT_TRUE(eventually([&] { return sh("$E diagnose").code == exit_unwell; }));
  ASSERT_TRUE(eventually(
      [&] { return bundle().at("findings").dump().find("quarantined") != std::string::npos; }));
  const auto all = bundle("--config " + file_);
  EXPECT_EQ(all.at("target").at("target_id"), "demo");
  EXPECT_THAT(all.at("state").dump(), HasSubstr("/flaky"));
  EXPECT_THAT(all.at("why").at("/flaky").dump(), HasSubstr("no route to host"));
  EXPECT_THAT(all.at("events").dump(), HasSubstr("child_quarantined"));
  EXPECT_THAT(all.at("config").dump(), HasSubstr("builtin.flaky"));
  EXPECT_THAT(all.at("machine").at("kernel").get<std::string>(), HasSubstr("Linux"));
  EXPECT_THAT(all.at("machine").at("limits").get<std::string>(), HasSubstr("Max open files"));
  for (const auto* part : {"health", "logs", "audit", "pipelines", "made_at", "espalier"})
    EXPECT_TRUE(all.contains(part)) << part;
  EXPECT_THAT(left_out_of(all), testing::IsEmpty());
}

TEST_F(SupportBundleTest, NamesWhatIsNotInIt) {
  start();
  EXPECT_THAT(left_out_of(bundle()), testing::ElementsAre("config"));
  const auto broken = folder_.write("broken.yaml", "children: [{name: a, kind: proces}]");
  const auto all = bundle("--config " + broken);
  EXPECT_THAT(all.at("left_out").dump(), HasSubstr("broken.yaml:1:"));
}

TEST_F(SupportBundleTest, HoldsNoSecret) {
  start(R"(
  - name: web
    command: [sh, -c, "echo connect to postgres://me:hunter2@db; exec sleep infinity", x, --password, hunter2]
    environment: {API_TOKEN: hunter2, DB_PASSWORD: {secret: {env: HOME}}}
)");
  ASSERT_TRUE(
      eventually([&] { return sh("$E logs /web").out.find("connect to") != std::string::npos; }));
  const auto text = bundle("--config " + file_).dump();
  EXPECT_THAT(text, HasSubstr("postgres://***@db"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
}

TEST_F(SupportBundleTest, WritesAFileForItsOwnerAndOverwritesNone) {
  start();
  const auto file = folder_.path("bundle.json");
  const auto made = sh("$E support-bundle --to " + file);
  EXPECT_EQ(made.code, exit_done) << made.err;
  EXPECT_THAT(made.out, HasSubstr("wrote " + file));
  EXPECT_THAT(made.err, HasSubstr("left out: config"));
  struct stat info = {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto again = sh("$E support-bundle --to " + file);
  EXPECT_EQ(again.code, exit_failed);
  EXPECT_THAT(again.err, HasSubstr("--to"));
  EXPECT_EQ(json::parse(read_file(file)).at("target").at("target_id"), "demo");
  const auto usual = sh("cd $D && $E support-bundle && ls espalier-demo-*Z.json");
  EXPECT_EQ(usual.code, exit_done) << usual.err;
}

}  // namespace
}  // namespace espalier::cli
