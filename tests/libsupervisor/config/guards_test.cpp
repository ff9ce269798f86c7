#include "libsupervisor/config/support/load.hpp"

#include <gmock/gmock.h>

namespace espalier::supervisor {
namespace {

using testing::HasSubstr;

TEST(Guards, an_anchor_inside_itself) {
  EXPECT_THAT(faults("children: &a [*a]"), HasSubstr("t.yaml:1:15: this alias stands inside"));
}

TEST(Guards, aliases_that_multiply) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    const auto below = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int k = 0; k < 8; ++k)
      bomb += "," + below;
    bomb += "]\n";
  }
  EXPECT_THAT(faults(bomb), HasSubstr("more than 100000 values"));
}

TEST(Guards, nesting) {
  const auto nested = [](std::size_t depth) {
    return "children: " + std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_THAT(faults(nested(32)), HasSubstr("t.yaml:1:42: nested deeper than 32 levels"));
  EXPECT_THAT(faults(nested(31)), testing::Not(HasSubstr("nested deeper")));
  EXPECT_NE(faults(nested(100'000)), "");
}

TEST(Guards, nesting_made_of_aliases) {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            "]\n";
  }
  EXPECT_THAT(faults(text), HasSubstr("nested deeper than 32 levels"));
}

TEST(Guards, size_and_binary) {
  EXPECT_THAT(faults(std::string((4U << 20U) + 1, ' ')), HasSubstr("larger than 4 MiB"));
  EXPECT_THAT(faults(std::string("a: \0b", 5)), HasSubstr("zero byte"));
}

TEST(Guards, files_that_are_none) {
  const auto missing = load_tree_file("/nowhere/tree.yaml", options_with());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().at(0).to_string(), "/nowhere/tree.yaml: no such file; check the path");
  const auto folder = load_tree_file("/", options_with());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().at(0).to_string(), "/: is a folder; name the file in it");
}

TEST(Overrides, win_over_the_file) {
  const auto options = options_with({{"ESPALIER__POLICY__RESTART", "transient"},
                                     {"ESPALIER__POLICY__BACKOFF__MAX", "2s"},
                                     {"ESPALIER__SUPERVISOR__RESTART_LIMIT", "unlimited"},
                                     {"ESPALIER__SHUTDOWN__ABORT_WAIT_MS", "20"}},
                                    true);
  const auto config = load(R"(
policy: {restart: temporary, max_backoff_ms: 9000}
shutdown: {abort_wait: 3s}
children: [{name: a, command: [x]}]
)",
                           options);
  EXPECT_EQ(field_of(config, "children[0].restart"), "transient (ESPALIER__POLICY__RESTART)");
  EXPECT_EQ(field_of(config, "policy.backoff.max"), "2s (ESPALIER__POLICY__BACKOFF__MAX)");
  EXPECT_EQ(field_of(config, "shutdown.abort_wait"), "20ms (ESPALIER__SHUTDOWN__ABORT_WAIT_MS)");
  EXPECT_FALSE(config.tree.restart_limit);
}

TEST(Overrides, are_left_alone_unless_asked_for) {
  const auto options = options_with({{"ESPALIER__POLICY__RESTART", "nonsense"}});
  EXPECT_EQ(faults("children: []", options), "");
}

TEST(Overrides, faults_name_the_variable) {
  const auto options = options_with(
      {{"ESPALIER__POLICY__RESTART", "permanant"}, {"ESPALIER__POLICY__RESTRAT", "transient"}},
      true);
  EXPECT_EQ(faults("children: []", options),
            "ESPALIER__POLICY__RESTRAT: no setting has this name; did you mean "
            "ESPALIER__POLICY__RESTART?\n"
            "ESPALIER__POLICY__RESTART: policy.restart: expected permanent, transient or "
            "temporary, got \"permanant\"; did you mean permanent?\n");
}

}  // namespace
}  // namespace espalier::supervisor
