#include "espalier/supervisor/core/tree_plan.hpp"
#include "libsupervisor/config/support/load.hpp"

#include <filesystem>

namespace espalier::supervisor {
namespace {

constexpr const char* value = "s3cr3t-w0rd";

// A folder of its own that goes with the test.
class Secrets : public testing::Test {
 protected:
  Secrets() {
    std::string name = (std::filesystem::temp_directory_path() / "secrets-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Secrets() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& text) const {
    const auto path = folder_ + "/token";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  [[nodiscard]] std::string missing() const { return folder_ + "/missing"; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

  static std::string tree(const std::string& secret) {
    return "children:\n  - name: a\n    command: [x]\n    environment:\n      K: " + secret + "\n";
  }
  static std::string from_file(const std::string& path) {
    return tree("{secret: {file: \"" + path + "\"}}");
  }
  static std::string value_in(const TreeConfig& config) {
    return config.tree.children.at(0).process->environment.at("K");
  }

 private:
  std::string folder_;
};

TEST_F(Secrets, come_from_a_variable) {
  const auto config = load(tree("{secret: {env: TOKEN}}"), options_with({{"TOKEN", value}}));
  EXPECT_EQ(value_in(config), value);
  const auto& source = config.tree.children.at(0).process->secrets.at("K");
  EXPECT_EQ(source, (SecretSource{SecretSource::Kind::env, "TOKEN"}));
}

TEST_F(Secrets, come_from_a_file_without_its_last_newline) {
  EXPECT_EQ(value_in(load(from_file(file("two\nlines\n")))), "two\nlines");
  EXPECT_EQ(value_in(load(from_file(file("dos\r\n")))), "dos");
  EXPECT_EQ(value_in(load(from_file(file("none")))), "none");
  EXPECT_EQ(value_in(load(from_file(file("two\n\n")))), "two\n");
}

TEST_F(Secrets, are_never_taken_for_something_to_substitute) {
  const auto options = options_with({{"TOKEN", "${NOT} $${SEEN}"}});
  EXPECT_EQ(value_in(load(tree("{secret: {env: TOKEN}}"), options)), "${NOT} $${SEEN}");
}

TEST_F(Secrets, may_stand_with_an_isolated_function_and_in_a_pool) {
  const std::string text =
      "children:\n"
      "  - {name: a, kind: blocking, factory: builtin.idle, isolation: process,\n"
      "     environment: {K: {secret: {env: TOKEN}}, L: plain}}\n"
      "  - {name: b, pool: {template: {command: [x], environment: {K: {secret: {env: TOKEN}}}}}}\n";
  const auto config = load(text, options_with({{"TOKEN", value}}));
  EXPECT_EQ(config.tree.children.at(0).process->environment,
            (Variables{{"K", value}, {"L", "plain"}}));
  EXPECT_EQ(config.tree.children.at(1).pool->child.process->environment.at("K"), value);
}

TEST_F(Secrets, that_are_missing_are_problems_with_their_place) {
  EXPECT_EQ(faults(tree("{secret: {env: TOKEN}}")),
            "t.yaml:5:25: children[0].environment.K.secret.env: the variable TOKEN is not set; set "
            "it where this program is started, or name a file: {secret: {file: PATH}}\n");
  EXPECT_NE(faults(tree("{secret: {env: TOKEN}}"), options_with({{"TOKEN", ""}}))
                .find("the variable TOKEN is empty"),
            std::string::npos);
  EXPECT_EQ(faults(from_file(missing())),
            "t.yaml:5:26: children[0].environment.K.secret.file: the file " + missing() +
                " does not exist; write the secret into it\n");
  EXPECT_NE(faults(from_file(folder())).find("is no regular file"), std::string::npos);
  EXPECT_NE(faults(from_file(file("\n"))).find("is empty"), std::string::npos);
}

TEST_F(Secrets, have_a_size_a_variable_can_have) {
  EXPECT_EQ(value_in(load(from_file(file(std::string(64U << 10U, 'x'))))).size(), 64U << 10U);
  EXPECT_NE(faults(from_file(file(std::string((64U << 10U) + 1, 'x')))).find("larger than 64 KiB"),
            std::string::npos);
}

TEST_F(Secrets, that_do_not_fit_are_not_quoted_in_problems) {
  const auto text = faults(from_file(file(std::string(value) + '\0')));
  EXPECT_NE(text.find("holds a zero byte"), std::string::npos) << text;
  EXPECT_EQ(text.find(value), std::string::npos);
}

TEST_F(Secrets, in_another_form_are_refused) {
  const std::string form = "expected {secret: {env: NAME}} or {secret: {file: PATH}}";
  for (const auto* wrong :
       {"{env: TOKEN}", "{secret: TOKEN}", "{secret: {env: A, file: B}}", "{secret: {env: [A]}}",
        "{secret: {vault: A}}", "{secret: {env: ''}}", "{secret: {env: A}, other: 1}", "{}"}) {
    EXPECT_NE(faults(tree(wrong)).find(form), std::string::npos) << wrong << faults(tree(wrong));
  }
}

TEST_F(Secrets, belong_to_the_environment_only) {
  const auto text = faults(
      "children: [{name: a, kind: actor, factory: builtin.idle, params: {K: {secret: {env: A}}}}]");
  EXPECT_NE(text.find("children[0].params.K: expected text"), std::string::npos) << text;
}

TEST_F(Secrets, are_masked_in_the_effective_configuration_which_loads_again) {
  const auto options = options_with({{"TOKEN", value}});
  const auto config = load(tree("{secret: {env: TOKEN}}"), options);
  const auto text = render_effective(config);
  EXPECT_EQ(text.find(value), std::string::npos);
  EXPECT_NE(text.find("environment: {\"K\": {secret: {env: TOKEN}}}  # t.yaml:5:7; secrets: ***\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(values_of(config).find(value), std::string::npos);
  const auto again = load(text, options);
  EXPECT_EQ(*again.tree.children.at(0).process, *config.tree.children.at(0).process);
}

TEST_F(Secrets, that_change_are_a_plan_without_values) {
  const auto text = tree("{secret: {env: TOKEN}}");
  const auto now = load(text, options_with({{"TOKEN", value}})).tree;
  const auto plan = plan_tree(now, load(text, options_with({{"TOKEN", "0ther"}})).tree);
  ASSERT_EQ(plan.size(), 1U);
  EXPECT_EQ(plan.front(), "restart /a: environment changed");
  EXPECT_TRUE(plan_tree(now, load(from_file(file(value))).tree).empty());
}

TEST_F(Secrets, stand_in_the_schema) {
  EXPECT_NE(render_json_schema().find(R"({"$ref": "#/$defs/secret"})"), std::string::npos);
}

}  // namespace
}  // namespace espalier::supervisor
