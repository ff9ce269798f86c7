#include "espalier/cli/audit_command.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/session.hpp"
#include "espalier/cli/remote/verbs.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/ipc/core/audit.hpp"
#include "espalier/supervisor/observe/json_text.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

constexpr std::uint64_t records_shown = 100;

std::optional<ipc::AuditRecord> record_of(const std::string& line) {
  const auto json = ipc::parse_json(line);
  if (!json) return std::nullopt;
  auto record = ipc::decode<ipc::AuditRecord>(*json, ipc::Unknown::ignore, "record");
  if (!record) return std::nullopt;
  return std::move(*record);
}

std::string time_text(const ipc::AuditRecord& record) {
  std::string text;
  sv::json::append_timestamp(text, record.at);
  return text;
}

/// One record as people read it; what clients said is made safe for a terminal.
std::string text_of(const ipc::AuditRecord& record) {
  std::string text = std::to_string(record.sequence) + " " + time_text(record) + " uid " +
                     std::to_string(record.uid) + " pid " + std::to_string(record.pid) + " " +
                     (record.method.empty() ? "-" : record.method);
  const auto add = [&text](const char* before, const std::optional<std::string>& value) {
    if (value && !value->empty()) text += before + *value;
  };
  add(" ", record.path);
  text += ": " + record.decision;
  add(" (", record.detail);
  if (record.detail && !record.detail->empty()) text += ")";
  if (record.decision == "refused") text += " by " + record.control;
  add(", asked by ", record.requested_by);
  add(", reason: ", record.reason);
  add(", command ", record.command_id);
  return escape_controls(text);
}

/// Lines of a file that have an end; `is_torn` tells whether something without one came after.
class LineReader {
 public:
  explicit LineReader(const std::string& path) : input_(path, std::ios::binary) {}
  [[nodiscard]] bool next() {
    if (!std::getline(input_, line_)) return false;
    if (input_.eof()) {
      is_torn_ = true;
      return false;
    }
    ++number_;
    return true;
  }
  [[nodiscard]] const std::string& line() const { return line_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] bool is_torn() const { return is_torn_; }

 private:
  std::ifstream input_;
  std::string line_ = {};
  std::uint64_t number_ = 0;
  bool is_torn_ = false;
};

/// Why a file cannot be read; empty: it can.
std::string file_problem(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return path + " is a folder; name the file in it";
  if (std::ifstream(path, std::ios::binary)) return {};
  return path + " cannot be read: " + std::strerror(errno) + "; check the path and its permissions";
}

int verify(const std::string& path, const Terminal& terminal) {
  LineReader lines(path);
  ipc::AuditChain chain;
  std::optional<ipc::AuditRecord> first;
  std::string last;
  while (lines.next()) {
    if (const auto problem = chain.add(lines.line()); !problem.empty()) {
      const auto holds = chain.head().sequence;
      return fail(terminal, exit_failed,
                  path + ": line " + std::to_string(lines.number()) + ": " +
                      escape_controls(problem) + "\n" +
                      (holds == 0 ? "No record holds."
                                  : "Records 1 to " + std::to_string(holds) + " hold.") +
                      " Keep the file as it is and compare it with a copy or with a head noted "
                      "elsewhere;\nthen move it away, so that the next start begins a new one.");
    }
    if (!first) first = record_of(lines.line());
    last = lines.line();
  }
  const auto& head = chain.head();
  terminal.out << path << ": the chain holds, " << head.sequence
               << (head.sequence == 1 ? " record\n" : " records\n");
  const auto newest = record_of(last);
  if (first && newest) {
    terminal.out << "first: " << time_text(*first) << "\nlast:  " << time_text(*newest) << "\n";
  }
  terminal.out << "head:  " << head.sequence << " " << head.hash << "\n"
               << "Note the head where the writer of the file cannot reach: only so does it show "
                  "when records at the end are cut off.\n";
  if (lines.is_torn()) {
    terminal.out << "After the last record stands the beginning of another, whose writing was cut "
                    "off.\n";
  }
  return exit_done;
}

int show_file(const std::string& path, bool as_json, const Terminal& terminal) {
  LineReader lines(path);
  bool well = true;
  while (lines.next()) {
    const auto json = ipc::parse_json(lines.line());
    const auto record = record_of(lines.line());
    if (!json || !record) {
      well = false;
      terminal.err << path << ": line " << lines.number()
                   << ": no audit record; see: espalier audit verify\n";
    } else {
      terminal.out << (as_json ? safe_json(*json) : text_of(*record)) << "\n";
    }
  }
  return well ? exit_done : exit_failed;
}

int show_target(const RemoteOptions& remote, const Terminal& terminal) {
  auto session = Session::open(remote);
  if (!session) return fail(terminal, session.error().code, session.error().message);
  const ipc::AuditQueryParams query{remote.lines.value_or(records_shown)};
  const auto page = session->ask<ipc::AuditPage>("audit.query", query);
  if (!page) return fail(terminal, page.error().code, page.error().message);
  for (const auto& raw : page->value.records) {
    const auto json = ipc::parse_json(raw.text);
    const auto record = record_of(raw.text);
    if (!json || !record) continue;
    terminal.out << (remote.output == "text" ? text_of(*record) : safe_json(*json)) << "\n";
  }
  return exit_done;
}

}  // namespace

void add_audit(CLI::App& app, AuditWords& words, RemoteOptions& remote) {
  CLI::App* const audit =
      app.add_subcommand("audit", "Who asked for what: check and show the record of it");
  audit->require_subcommand(1);
  CLI::App* const verify =
      audit->add_subcommand("verify", "Check that no record of a file was changed or removed");
  verify->add_option("file", words.file, "Audit file")->required();
  verify->callback([&words] { words.verify = true; });
  CLI::App* const show =
      audit->add_subcommand("show", "Print the records of a file, else of the running target");
  show->add_option("file", words.file, "Audit file");
  show->add_option("-n,--lines", remote.lines, "Of the running target: how many (default: 100)")
      ->check(CLI::Range(1, 1000));
  add_target_options(*show, remote);
}

int audit_command(const AuditWords& words, const RemoteOptions& remote, const Streams& streams) {
  const Terminal terminal = terminal_of(streams, remote);
  if (words.file.empty()) return show_target(remote, terminal);
  if (const auto problem = file_problem(words.file); !problem.empty())
    return fail(terminal, exit_failed, problem);
  return words.verify ? verify(words.file, terminal)
                      : show_file(words.file, remote.output != "text", terminal);
}

}  // namespace espalier::cli
