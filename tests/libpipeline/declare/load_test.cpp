#include "espalier/pipeline/declare/declared_pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace espalier::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

DeclareOptions options() {
  DeclareOptions options;
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "WORKERS") return "7";
    return std::nullopt;
  };
  options.tasks["upper"] = [](const Json& item, const TaskParams&, RunContext&) { return item; };
  return options;
}

std::string indented(const std::string& stages) {
  std::string out = "pipeline:\n  name: shop\n  stages:\n";
  std::istringstream lines(stages);
  for (std::string line; std::getline(lines, line);)
    out += "    " + line + "\n";
  return out;
}

/// Every problem as one line each, without the file's name.
std::string problems_of(const std::string& text) {
  const auto loaded = load_pipeline_text(text, "p.yaml", options());
  if (loaded) return "none\n";
  std::string out;
  for (const auto& problem : loaded.error())
    out += problem.to_string() + "\n";
  return out;
}

DeclaredPipeline load(const std::string& text) {
  auto loaded = load_pipeline_text(text, "p.yaml", options());
  if (loaded) return *loaded;
  ADD_FAILURE() << problems_of(text);
  return {};
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(LoadPipeline, ReadsEverySettingOfACommand) {
  const auto spec = load(indented("- name: fetch\n"
                                  "  command: [cat, -u]\n"
                                  "  mode: lines\n"
                                  "  workers: ${WORKERS}\n"
                                  "  capacity: 30\n"
                                  "  timeout_ms: 1500\n"
                                  "  retry: {attempts: 3, backoff: {initial: 5ms, max: 1s},\n"
                                  "          give_up_after: 1m, not_for_exit_codes: [65]}\n"
                                  "  rate: 100\n"
                                  "  breaker: {threshold: 0.25, open_for: 2s}\n"
                                  "  environment: {LANG: C}\n"
                                  "  kill_after: 300ms\n"
                                  "  error_field: error\n"
                                  "  skip_if: {field: cached, equals: true}\n"))
                        .spec;
  ASSERT_EQ(spec.stages.size(), 1U);
  const auto& stage = spec.stages[0];
  EXPECT_THAT(stage.process.command, ElementsAre("cat", "-u"));
  EXPECT_EQ(stage.mode, CommandMode::lines);
  EXPECT_EQ(stage.options.workers, 7U);
  EXPECT_EQ(stage.options.capacity, 30U);
  EXPECT_EQ(stage.options.timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(stage.options.retry.attempts, 3U);
  EXPECT_EQ(stage.options.retry.backoff.initial, std::chrono::milliseconds(5));
  EXPECT_EQ(stage.options.retry.give_up_after, std::chrono::minutes(1));
  EXPECT_THAT(stage.no_retry_exit_codes, ElementsAre(65));
  EXPECT_EQ(stage.options.rate.per_second, 100);
  ASSERT_TRUE(stage.options.breaker);
  EXPECT_EQ(stage.options.breaker->threshold, 0.25);
  EXPECT_EQ(stage.process.environment.at("LANG"), "C");
  EXPECT_EQ(stage.kill_after, std::chrono::milliseconds(300));
  EXPECT_EQ(stage.error_field, "error");
  ASSERT_TRUE(stage.skip_if);
  EXPECT_THAT(stage.skip_if->one_of, ElementsAre("true"));
}

TEST(LoadPipeline, PriorityAgingAndSharedRatesArePartOfTheWhole) {
  const std::string limited = "    - {name: NAME, command: [cat], aging: 2s, rate: RATE}\n";
  const auto stage = [&](const std::string& name, const std::string& rate) {
    auto text = limited;
    text.replace(text.find("NAME"), 4, name);
    return text.replace(text.find("RATE"), 4, rate);
  };
  const std::string head = "pipeline:\n  priority: urgency\n  stages:\n";
  const std::string two = "{per_second: 2, shared_as: api}";
  const auto loaded = load(head + stage("a", two) + stage("b", two));
  EXPECT_EQ(loaded.spec.priority_field, "urgency");
  for (const auto& node : loaded.plan.nodes) {
    EXPECT_EQ(node.options.aging, std::chrono::seconds{2});
    EXPECT_EQ(node.options.rate.shared_as, "api");
  }
  EXPECT_THAT(problems_of(head + stage("a", two) + stage("b", "{per_second: 3, shared_as: api}")),
              HasSubstr("shares the rate 'api' with 'a', but not its numbers"));
}

TEST(LoadPipeline, AStageIsFollowedByTheOneBelowAndTheLastByTheOutput) {
  const auto plan = load(indented("- {name: a, command: [cat]}\n"
                                  "- {name: b, task: upper}\n"
                                  "- {name: slow, rate: 5}\n"))
                        .plan;
  ASSERT_EQ(plan.nodes.size(), 3U);
  EXPECT_THAT(plan.nodes[0].next, ElementsAre(1));
  EXPECT_THAT(plan.nodes[1].next, ElementsAre(2));
  EXPECT_THAT(plan.nodes[2].next, ElementsAre(output_node));
  EXPECT_EQ(plan.options.name, "shop");
}

TEST(LoadPipeline, RoutesBecomePortsInTheirOrder) {
  const auto plan = load(indented("- name: route\n"
                                  "  split:\n"
                                  "    - {to: images, field: kind, equals: image}\n"
                                  "    - {to: output, field: kind, equals: text}\n"
                                  "  next: rest\n"
                                  "- {name: images, task: upper, next: output}\n"
                                  "- {name: rest, unpack: true}\n"))
                        .plan;
  EXPECT_THAT(plan.nodes[0].next, ElementsAre(1, output_node, 2));
  EXPECT_TRUE(plan.nodes[0].one_to_one);
  EXPECT_FALSE(plan.nodes[2].one_to_one);
}

TEST(LoadPipeline, ACommandForEachItemTakesOneAtATime) {
  const auto plan = load(indented("- {name: each, command: [cat]}\n"
                                  "- {name: many, command: [cat], mode: lines}\n"
                                  "- {name: timed, command: [cat], mode: lines, timeout: 1s}\n"))
                        .plan;
  EXPECT_EQ(plan.nodes[0].options.batch_limit, 1U);
  EXPECT_EQ(plan.nodes[1].options.batch_limit, 0U);
  EXPECT_EQ(plan.nodes[2].options.batch_limit, 1U) << "a time-out is that of one item";
}

TEST(LoadPipeline, ItemsOfEqualKeysHaveEqualSums) {
  const auto plan =
      load(indented("- {name: a, task: upper, order: by_key, key: user.name}\n")).plan;
  const auto key = [&](const char* text) {
    return plan.nodes[0].key(Value::of<Json>(Json::parse(text)));
  };
  EXPECT_EQ(key(R"({"user": {"name": "x"}, "n": 1})"), key(R"({"user": {"name": "x"}, "n": 2})"));
  EXPECT_NE(key(R"({"user": {"name": "x"}})"), key(R"({"user": {"name": "y"}})"));
  EXPECT_EQ(key(R"({})"), key(R"([1])"));
}

TEST(LoadPipeline, ExitCodesThatAreFinalAreNotRetried) {
  const auto plan =
      load(
          indented("- {name: a, command: [cat], retry: {attempts: 3, not_for_exit_codes: [65]}}\n"))
          .plan;
  Failure failure;
  failure.type = "exit code 65";
  EXPECT_FALSE(plan.nodes[0].options.retry.retry_if(failure));
  failure.type = "exit code 1";
  EXPECT_TRUE(plan.nodes[0].options.retry.retry_if(failure));
}

// Each case: a text, then what is said of it, as it stands in testdata/problems.txt.
TEST(LoadPipeline, SaysWhatIsWrongWhereAndWhatToDo) {
  std::ifstream file(std::string(TEST_DATA) + "/problems.txt");
  ASSERT_TRUE(file) << "no testdata";
  std::string text;
  std::string expected;
  std::string title;
  bool in_text = false;
  int cases = 0;
  const auto check = [&] {
    if (title.empty()) return;
    ++cases;
    EXPECT_EQ(problems_of(text), expected) << title;
    text.clear();
    expected.clear();
  };
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("== ", 0) == 0) {
      check();
      title = line.substr(3);
      in_text = true;
    } else if (line == "--") {
      in_text = false;
    } else if (in_text) {
      text += line + "\n";
    } else if (!line.empty()) {
      expected += line + "\n";
    }
  }
  check();
  EXPECT_GT(cases, 15);
}

TEST(LoadPipeline, AFileThatIsNotThereIsAProblemOfThatFile) {
  const auto loaded = load_pipeline_file("/no/such/pipeline.yaml", options());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error()[0].to_string(), "/no/such/pipeline.yaml: no such file; check the path");
}

TEST(PipelineDocuments, TheTemplateLoadsAsItStands) {
  const auto loaded = load_pipeline_text(render_pipeline_template(), "template", options());
  ASSERT_TRUE(loaded) << problems_of(render_pipeline_template());
  EXPECT_EQ(loaded->spec.stages.size(), 1U);
}

TEST(PipelineDocuments, TheSchemaInTheRepositoryIsTheOneOfTheProgram) {
  const std::string root = ESPALIER_SOURCE_DIR;
  const auto schema = render_pipeline_schema();
  EXPECT_EQ(read_file(root + "/docs/schema/pipeline.schema.json"), schema)
      << "write it anew: espalier pipeline schema > docs/schema/pipeline.schema.json";
  const auto parsed = Json::parse(schema);
  const auto& stage = parsed["properties"]["pipeline"]["properties"]["stages"]["items"];
  for (const auto* field : {"command", "mode", "timeout_ms", "retry", "split", "skip_if"})
    EXPECT_TRUE(stage["properties"].contains(field)) << field;
}

TEST(PipelineDocuments, TheExampleLoads) {
  const std::string root = ESPALIER_SOURCE_DIR;
  const auto loaded = load_pipeline_file(root + "/examples/config/pipeline.yaml", options());
  ASSERT_TRUE(loaded) << loaded.error()[0].to_string();
  EXPECT_GE(loaded->spec.stages.size(), 4U);
}

}  // namespace
}  // namespace espalier::pipeline
