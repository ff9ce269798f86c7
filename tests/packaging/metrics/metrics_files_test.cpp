// What is shipped beside the program speaks of what the program exposes, and of nothing else: the
// table of docs/metrics.md, the queries of the alerts and of the dashboard.
#include "packaging/metrics/catalog.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace espalier::metrics {
namespace {

std::string read(const std::string& name) {
  std::ifstream file{std::string{ESPALIER_SOURCE_DIR} + "/" + name};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string word_of(Type type) {
  return type == Type::counter ? "counter" : type == Type::gauge ? "gauge" : "histogram";
}

std::string row_of(const Family& family) {
  std::string labels;
  std::istringstream names{std::string{family.labels}};
  for (std::string name; std::getline(names, name, ',');)
    labels += (labels.empty() ? "`" : ", `") + name + "`";
  return "| `" + std::string{family.name} + "` | " + word_of(family.type) + " | " + labels +
         (labels.empty() ? "| " : " | ") + std::string{family.help} + " |";
}

/// Names and labels of a query; what stands in quotes, ranges and templates is left out.
struct Query {
  explicit Query(std::string text) {
    text = std::regex_replace(text, std::regex{R"(\[[^\]]*\])"}, "");
    text = std::regex_replace(text, std::regex{R"("[^"]*")"}, "\"\"");
    static const std::regex lists{
        R"(\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\))"};
    static const std::regex matchers{R"(\{([^}]*)\})"};
    static const std::regex name{R"([A-Za-z_:][A-Za-z0-9_:]*)"};
    for (std::sregex_iterator at{text.begin(), text.end(), lists}, end; at != end; ++at)
      add_words((*at)[2], labels);
    text = std::regex_replace(text, lists, " ");
    for (std::sregex_iterator at{text.begin(), text.end(), matchers}, end; at != end; ++at)
      add_words((*at)[1], labels);
    text = std::regex_replace(text, matchers, " ");
    for (std::sregex_iterator at{text.begin(), text.end(), name}, end; at != end; ++at) {
      const auto after =
          text.find_first_not_of(' ', static_cast<std::size_t>(at->position() + at->length()));
      const bool is_function = after != std::string::npos && text[after] == '(';
      static const std::set<std::string> words{"and", "or", "unless", "bool", "offset"};
      if (!is_function && !words.contains(at->str())) names.insert(at->str());
    }
  }
  std::set<std::string> names = {};
  std::set<std::string> labels = {};

 private:
  static void add_words(const std::string& text, std::set<std::string>& into) {
    static const std::regex word{R"([A-Za-z_][A-Za-z0-9_]*)"};
    for (std::sregex_iterator at{text.begin(), text.end(), word}, end; at != end; ++at)
      into.insert(at->str());
  }
};

/// What a query asks for that nobody exposes; empty: nothing.
std::vector<std::string> unknown_in(const std::string& text) {
  static const auto all = testing::catalog();
  const Query query{text};
  std::set<std::string> labels{"instance", "job", "le"};  // Of every scrape.
  std::vector<std::string> unknown;
  for (auto name : query.names) {
    if (name == "up") continue;
    for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
      if (!name.ends_with(suffix)) continue;
      const auto base = name.substr(0, name.size() - suffix.size());
      const auto found = all.find(base);
      if (found != all.end() && found->second.type == Type::histogram) name = base;
    }
    const auto found = all.find(name);
    if (found == all.end()) {
      unknown.push_back(name);
      continue;
    }
    std::istringstream names{std::string{found->second.labels}};
    for (std::string label; std::getline(names, label, ',');)
      labels.insert(label);
  }
  for (const auto& label : query.labels)
    if (!labels.contains(label)) unknown.push_back("label " + label + " in " + text);
  if (query.names.empty()) unknown.push_back("no name in " + text);
  return unknown;
}

using Unknown = std::vector<std::string>;

TEST(MetricsFiles, HaveARowOfTheTableForEachFamilyAndNoOther) {
  std::set<std::string> wanted;
  for (const auto& [name, family] : testing::catalog())
    wanted.insert(row_of(family));
  std::set<std::string> rows;
  std::istringstream page{read("docs/metrics.md")};
  for (std::string line; std::getline(page, line);)
    if (std::regex_search(line, std::regex{R"(^\| `\w+` \| (counter|gauge|histogram) \|)"})) {
      rows.insert(line);
    }
  for (const auto& row : wanted)
    EXPECT_TRUE(rows.contains(row)) << "docs/metrics.md lacks\n" << row;
  for (const auto& row : rows)
    EXPECT_TRUE(wanted.contains(row)) << "docs/metrics.md has, and the program has not\n" << row;
}

TEST(MetricsFiles, HoldTheTwentyOneKnownNames) {
  const auto all = testing::catalog();
  for (const auto* name : {"supervisor_restart_total",
                           "supervisor_child_state",
                           "supervisor_child_uptime_seconds",
                           "supervisor_backoff_seconds",
                           "supervisor_healthcheck_latency_seconds",
                           "supervisor_meltdown_total",
                           "supervisor_shutdown_duration_seconds",
                           "supervisor_shutdown_child_outcomes_total",
                           "supervisor_shutdown_abort_total",
                           "supervisor_shutdown_late_reports_total",
                           "supervisor_event_lag_total",
                           "supervisor_config_version",
                           "supervisor_runtime_control_loop_exit_total",
                           "supervisor_runtime_control_plane_alive",
                           "supervisor_child_control_command_total",
                           "supervisor_child_runtime_restart_limit_remaining",
                           "supervisor_child_runtime_heartbeat_stale_total",
                           "supervisor_child_runtime_operation_transitions_total",
                           "supervisor_child_restart_fence_total",
                           "supervisor_child_attempt_stale_report_total",
                           "supervisor_child_restart_pending"}) {
    EXPECT_TRUE(all.contains(name)) << name;
  }
}

TEST(MetricsFiles, AskInAlertsOnlyForWhatIsExposed) {
  const auto file = YAML::Load(read("packaging/prometheus/alerts.yml"));
  std::size_t count = 0;
  for (const auto& group : file["groups"]) {
    for (const auto& rule : group["rules"]) {
      EXPECT_EQ(unknown_in(rule["expr"].as<std::string>()), Unknown{}) << rule["alert"];
      ++count;
    }
  }
  EXPECT_GE(count, 10U);
}

TEST(MetricsFiles, TestEveryAlert) {
  const auto file = YAML::Load(read("packaging/prometheus/alerts.yml"));
  std::set<std::string> fired;
  for (const auto& test : YAML::Load(read("packaging/prometheus/alerts_test.yml"))["tests"]) {
    for (const auto& one : test["alert_rule_test"])
      if (one["exp_alerts"].size() > 0) fired.insert(one["alertname"].as<std::string>());
  }
  for (const auto& group : file["groups"]) {
    for (const auto& rule : group["rules"])
      EXPECT_TRUE(fired.contains(rule["alert"].as<std::string>())) << rule["alert"];
  }
}

TEST(MetricsFiles, AskInTheDashboardOnlyForWhatIsExposed) {
  const auto board = nlohmann::json::parse(read("packaging/grafana/espalier.json"));
  std::size_t count = 0;
  for (const auto& panel : board["panels"]) {
    if (!panel.contains("targets")) continue;
    for (const auto& target : panel["targets"]) {
      EXPECT_EQ(unknown_in(target["expr"]), Unknown{}) << panel["title"];
      ++count;
    }
  }
  EXPECT_GE(count, 30U);
  for (const auto& variable : board["templating"]["list"]) {
    if (variable["type"] != "query") continue;
    EXPECT_EQ(variable["definition"], "label_values(espalier_build_info, instance)");
  }
}

TEST(MetricsFiles, NoticeAQueryForWhatIsNotExposed) {
  EXPECT_EQ(unknown_in("rate(supervisor_restarts_total[5m])"),
            Unknown{"supervisor_restarts_total"});
  EXPECT_EQ(unknown_in("sum by (le) (rate(supervisor_backoff_seconds_bucket[5m])) > 1"), Unknown{});
  EXPECT_EQ(unknown_in("espalier_events_total{kind=\"x\"}").size(), 1U);
  EXPECT_EQ(unknown_in("sum by (reason) (espalier_events_total)").size(), 1U);
  EXPECT_EQ(unknown_in("supervisor_restart_total_bucket"),
            Unknown{"supervisor_restart_total_bucket"});
}

}  // namespace
}  // namespace espalier::metrics
