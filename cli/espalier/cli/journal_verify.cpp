#include "espalier/cli/journal_verify.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/journal_extent.hpp"
#include "espalier/cli/remote/table.hpp"
#include "espalier/cli/text_cells.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using ipc::Json;
using Extent = JournalExtent;

/// What a check has found in one file.
struct Checked {
  Extent extent = {};
  std::uint64_t damaged = 0;
  std::uint64_t missing = 0;  ///< Lines before one of its lines.
};

/// The same, of all files in their order.
using Files = std::vector<std::pair<std::string, Checked>>;

void note(Files& files, const sv::JournalItem& item) {
  if (files.empty() || files.back().first != item.file) files.push_back({item.file, {}});
  auto& file = files.back().second;
  if (item.kind == sv::JournalItem::Kind::event) file.extent.add(item);
  if (item.kind == sv::JournalItem::Kind::damage) ++file.damaged;
  if (item.kind == sv::JournalItem::Kind::missing) file.missing += item.last - item.position + 1;
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Json files_json(const Files& files) {
  Json out = Json::array();
  for (const auto& [path, file] : files) {
    Json one = file.extent.json();
    one.update({{"file", path}, {"damaged", file.damaged}, {"missing", file.missing}});
    out.push_back(std::move(one));
  }
  return out;
}

void print_files(const Files& files, const Terminal& terminal) {
  Table table({{"FILE"},
               {"LINES", true},
               {"FROM", true},
               {"TO", true},
               {"DAMAGED", true},
               {"MISSING", true},
               {"LAST"}});
  const auto bad = [](std::uint64_t n) { return n == 0 ? Ink::plain : Ink::bad; };
  for (const auto& [path, file] : files) {
    table.add({{name_of(path)},
               {std::to_string(file.extent.lines)},
               {std::to_string(file.extent.first)},
               {std::to_string(file.extent.last)},
               {std::to_string(file.damaged), bad(file.damaged)},
               {std::to_string(file.missing), bad(file.missing)},
               {file.extent.ends}});
  }
  terminal.out << table.render(terminal);
}

Json problem_json(const sv::JournalItem& item) {
  return {{"file", item.file}, {"line", item.line}, {"problem", item.text}};
}

std::string counted(std::uint64_t count, const char* one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

}  // namespace

std::string place_text(const sv::JournalItem& item) {
  return escape_controls(item.file + ":" + std::to_string(item.line) + ": " + item.text);
}

int verify_journal(sv::JournalReader reader, const std::string& folder, bool as_json,
                   const Terminal& terminal) {
  Extent extent;
  Files files;
  Json problems = Json::array();
  while (const auto item = reader.next()) {
    note(files, *item);
    if (item->kind == sv::JournalItem::Kind::event) {
      extent.add(*item);
      continue;
    }
    if (!as_json) terminal.err << place_text(*item) << "\n";
    problems.push_back(problem_json(*item));
  }
  const bool holds = problems.empty();
  if (as_json) {
    Json report = extent.json();
    report.update({{"folder", folder},
                   {"holds", holds},
                   {"files", reader.files_read()},
                   {"each_file", files_json(files)},
                   {"unfinished_bytes", reader.unfinished_bytes()},
                   {"problems", problems}});
    terminal.out << safe_json_pretty(report) << "\n";
    return holds ? exit_done : exit_failed;
  }
  print_files(files, terminal);
  const auto amount = counted(extent.lines, "line") + " in " + counted(reader.files_read(), "file");
  if (!holds) {
    return fail(terminal, exit_failed,
                escape_controls(folder) + ": " + counted(problems.size(), "place") +
                    " where the journal is damaged or not complete; " + amount +
                    " hold.\nWhat holds can be used as it is. Copy the folder before you change "
                    "anything in it.");
  }
  terminal.out << escape_controls(folder) << ": the journal holds, " << amount << "\n";
  if (extent.lines != 0) {
    terminal.out << "first: " << extent.begins << "  position " << extent.first
                 << "\nlast:  " << extent.ends << "  position " << extent.last << "\n";
  }
  if (reader.unfinished_bytes() != 0) {
    terminal.out << "After the last line stand " << reader.unfinished_bytes()
                 << " bytes of another: it is being written, or its writing was cut off.\n";
  }
  return exit_done;
}

}  // namespace espalier::cli
