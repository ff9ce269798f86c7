#include "espalier/cli/journal_report.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/journal_extent.hpp"
#include "espalier/cli/remote/table.hpp"
#include "espalier/supervisor/observe/journal_line.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using ipc::Json;
using Extent = JournalExtent;

constexpr std::size_t paths_shown = 10;
constexpr std::size_t runs_shown = 10;

std::string text_of(const Json& json, const char* key) {
  const auto field = json.find(key);
  return field != json.end() && field->is_string() ? field->get<std::string>() : "";
}

/// What is in a journal, by kind and by child.
struct Counts {
  std::map<std::string, std::uint64_t> types = {};
  struct Child {
    std::uint64_t exits = 0;
    std::uint64_t failures = 0;
    std::uint64_t restarts = 0;
  };
  std::map<std::string, Child> children = {};
  std::vector<std::pair<std::uint64_t, Extent>> runs = {};
  std::uint64_t dropped = 0;  ///< Events that a full disk or a slow one cost.

  void add(const sv::JournalItem& item, const Json& event) {
    const auto type = text_of(event, "type");
    ++types[type];
    add_to_run(item);
    // Other readers miss events, too, and have a name; what they miss is here.
    if (type == "subscriber_lagged" && !event.contains("reader"))
      dropped += event.value("dropped", std::uint64_t{0});
    if (type == "child_restarted") ++children[text_of(event, "path")].restarts;
    if (type != "child_exited") return;
    auto& child = children[text_of(event, "path")];
    ++child.exits;
    const auto exit = event.find("exit");
    const auto kind = exit == event.end() ? "" : text_of(*exit, "kind");
    const bool well = kind == "completed" || kind == "stopped" || kind == "aborted";
    if (!well) ++child.failures;
  }

  void add_to_run(const sv::JournalItem& item) {
    const auto run = sv::run_of_journal_line(item.text);
    if (run == 0) return;
    if (runs.empty() || runs.back().first != run) runs.push_back({run, {}});
    runs.back().second.add(item);
  }

  using Row = std::pair<std::string, Child>;
  [[nodiscard]] std::vector<Row> most_failures() const {
    std::vector<Row> rows(children.begin(), children.end());
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return std::pair{a.second.failures, a.second.exits} >
             std::pair{b.second.failures, b.second.exits};
    });
    return rows;
  }
};

Json counts_json(const Counts& counts) {
  Json children = Json::array();
  for (const auto& [path, child] : counts.most_failures()) {
    children.push_back({{"path", path},
                        {"exits", child.exits},
                        {"failures", child.failures},
                        {"restarts", child.restarts}});
  }
  Json runs = Json::array();
  for (const auto& [run, extent] : counts.runs) {
    runs.push_back(extent.json());
    runs.back()["run"] = run;
  }
  return {{"runs", counts.runs.size()},
          {"each_run", runs},
          {"events_missing", counts.dropped},
          {"types", counts.types},
          {"children", children}};
}

void print_runs(const Counts& counts, const Terminal& terminal) {
  Table table({{"RUN"}, {"EVENTS", true}, {"FIRST"}, {"LAST"}});
  const auto& runs = counts.runs;
  for (auto i = runs.size() - std::min(runs.size(), runs_shown); i < runs.size(); ++i) {
    const auto& extent = runs[i].second;
    table.add({{std::to_string(runs[i].first)},
               {std::to_string(extent.lines)},
               {extent.begins},
               {extent.ends}});
  }
  if (!table.empty()) terminal.out << "\n" << table.render(terminal);
}

void print_counts(const Counts& counts, const Terminal& terminal) {
  Table types({{"TYPE", false}, {"EVENTS", true}});
  for (const auto& [type, count] : counts.types)
    types.add({{type}, {std::to_string(count)}});
  terminal.out << "\n" << types.render(terminal);
  auto rows = counts.most_failures();
  if (rows.empty()) return;
  if (rows.size() > paths_shown) rows.resize(paths_shown);
  Table children({{"CHILD", false}, {"FAILURES", true}, {"EXITS", true}, {"RESTARTS", true}});
  for (const auto& [path, child] : rows) {
    children.add({{path},
                  {std::to_string(child.failures), child.failures == 0 ? Ink::plain : Ink::bad},
                  {std::to_string(child.exits)},
                  {std::to_string(child.restarts)}});
  }
  terminal.out << "\n" << children.render(terminal);
}

}  // namespace

int count_journal(sv::JournalReader reader, const std::string& folder, bool as_json,
                  const Terminal& terminal) {
  Extent extent;
  Counts counts;
  std::uint64_t damaged = 0;
  std::uint64_t missing = 0;
  while (const auto item = reader.next()) {
    if (item->kind == sv::JournalItem::Kind::event) {
      extent.add(*item);
      if (const auto event = ipc::parse_json(item->text)) counts.add(*item, *event);
    } else if (item->kind == sv::JournalItem::Kind::missing) {
      missing += item->last - item->position + 1;
    } else {
      ++damaged;
    }
  }
  if (as_json) {
    Json report = extent.json();
    report.update(counts_json(counts));
    report.update({{"folder", folder},
                   {"files", reader.files_read()},
                   {"bytes", reader.bytes_read()},
                   {"lines_missing", missing},
                   {"lines_damaged", damaged}});
    terminal.out << safe_json_pretty(report) << "\n";
    return exit_done;
  }
  Table facts({{""}, {""}});
  facts.add({{"folder"}, {folder}});
  facts.add({{"files"}, {std::to_string(reader.files_read())}});
  facts.add({{"bytes"}, {std::to_string(reader.bytes_read())}});
  facts.add({{"lines"}, {std::to_string(extent.lines)}});
  facts.add({{"runs of the program"}, {std::to_string(counts.runs.size())}});
  facts.add({{"first"}, {extent.begins}});
  facts.add({{"last"}, {extent.ends}});
  const auto bad = [](std::uint64_t n) { return n == 0 ? Ink::plain : Ink::bad; };
  facts.add({{"events that were not kept"}, {std::to_string(counts.dropped), bad(counts.dropped)}});
  facts.add({{"lines missing"}, {std::to_string(missing), bad(missing)}});
  facts.add({{"lines damaged"}, {std::to_string(damaged), bad(damaged)}});
  terminal.out << facts.render(terminal);
  print_runs(counts, terminal);
  print_counts(counts, terminal);
  return exit_done;
}

}  // namespace espalier::cli
