#include "espalier/cli/journal_command.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/journal_report.hpp"
#include "espalier/cli/journal_show.hpp"
#include "espalier/cli/journal_verify.hpp"
#include "espalier/cli/params.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"
#include "espalier/supervisor/observe/json_object.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <regex>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

/// The folder of a journal, from a folder or from a tree file.
expected<std::string, int> folder_of(const std::string& where, const Terminal& terminal) {
  std::error_code ignored;
  if (std::filesystem::is_directory(where, ignored)) return where;
  if (!std::filesystem::exists(where, ignored)) {
    return unexpected<int>{fail(terminal, exit_failed,
                                where + ": no such folder or file; name the folder of the journal, "
                                        "or the tree file that names it")};
  }
  const auto config = load_tree(where);
  if (!config) {
    for (const auto& problem : config.error())
      terminal.err << problem.to_string() << "\n";
    return unexpected<int>{exit_config_invalid};
  }
  const auto& folder = config->observability.journal.folder;
  if (!folder.empty()) return folder;
  return unexpected<int>{fail(terminal, exit_failed,
                              where + " names no journal; set observability.journal.path in it, or "
                                      "name the folder")};
}

/// A time as the lines of a journal have it, cut off anywhere; nothing: the text is none.
std::optional<std::string> time_of(const std::string& text) {
  if (text.empty()) return text;
  if (const auto span = parse_duration(text)) {
    std::string at;
    const auto when = std::chrono::system_clock::now() - *span;
    sv::json::append_timestamp(
        at, std::chrono::time_point_cast<std::chrono::system_clock::duration>(when));
    return at;
  }
  static const std::regex form{R"(\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?)?)"};
  if (!std::regex_match(text, form)) return std::nullopt;
  auto at = text;
  if (at.ends_with('Z')) at.pop_back();  // "...:00Z" would stand after "...:00.5Z".
  std::replace(at.begin(), at.end(), ' ', 'T');
  return at;
}

CLI::App* add_verb(CLI::App& journal, JournalWords& words, RemoteOptions& remote, const char* name,
                   const char* help) {
  CLI::App* const verb = journal.add_subcommand(name, help);
  verb->add_option("where", words.where, "Folder of the journal, or a tree file that names one")
      ->required();
  verb->callback([&words, name] { words.verb = name; });
  verb->add_option("-o,--output", remote.output, "How to print it (default: text)")
      ->check(CLI::IsMember({"text", "json", "ndjson"}));
  verb->add_option("--color", remote.color, "Use colours (default: auto)")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  return verb;
}

}  // namespace

void add_journal(CLI::App& app, JournalWords& words, RemoteOptions& remote) {
  CLI::App* const journal =
      app.add_subcommand("journal", "What happened: show and check the journal on disk");
  journal->require_subcommand(1);
  CLI::App* const show = add_verb(*journal, words, remote, "show", "Print the events of a journal");
  show->add_option_function<std::string>(
          "--path", [&remote](const std::string& path) { remote.paths = {path}; },
          "Only about this child and what is below it; * within a name and ** across names")
      ->type_name("PATH");
  show->add_option("--type", remote.types, "Only this type; several are allowed")
      ->type_name("TYPE");
  show->add_option("--severity", remote.severity, "Only these and worse")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  show->add_option("--correlation", words.correlation,
                   "Only what one cause has led to, by its correlation_id")
      ->type_name("ID");
  show->add_option("--run", words.run,
                   "Only this run of the program: 0 the last, -1 the one before")
      ->type_name("RUN");
  const auto is_time = [](const std::string& text) {
    return time_of(text) ? std::string{}
                         : "'" + text +
                               "' is no time; write 2026-11-22T06:00:00Z, or a span back from now "
                               "such as 90m";
  };
  CLI::Option* const since =
      show->add_option("--since", words.since,
                       "Only from this time on: 2026-11-22T06:00:00Z (UTC), or 90m back from now")
          ->check(is_time, "")
          ->type_name("TIME");
  show->add_option("--until", words.until, "Only before this time")
      ->check(is_time, "")
      ->type_name("TIME");
  show->add_option("--from", words.from, "Only from this position on")
      ->check(CLI::PositiveNumber)
      ->excludes(since)
      ->type_name("POSITION");
  show->add_option("-n,--lines", remote.lines, "Only so many of the last (default: all)")
      ->type_name("N");
  CLI::Option* const reverse = show->add_flag("-r,--reverse", words.reverse, "The newest first");
  show->add_flag("-f,--follow", remote.follow, "Go on with new events")->excludes(reverse);
  add_verb(*journal, words, remote, "verify", "Check that no line is damaged or missing");
  add_verb(*journal, words, remote, "stats", "Count what is in a journal");
}

int journal_command(const JournalWords& words, const RemoteOptions& remote,
                    const Streams& streams) {
  const Terminal terminal = terminal_of(streams, remote);
  const auto folder = folder_of(words.where, terminal);
  if (!folder) return folder.error();
  const auto since = time_of(words.since);
  auto reader = sv::JournalReader::open(*folder, {words.from, since.value_or("")});
  if (!reader) return fail(terminal, exit_failed, reader.error());
  const bool as_json = remote.output != "text";
  if (words.verb == "verify") return verify_journal(std::move(*reader), *folder, as_json, terminal);
  if (words.verb == "stats") return count_journal(std::move(*reader), *folder, as_json, terminal);
  JournalQuery query{words.correlation, {}, *time_of(words.until), words.reverse};
  if (!words.run.empty()) {
    const auto run = run_of(words.run, *folder);
    if (!run) return fail(terminal, exit_failed, run.error());
    query.run = *run;
  }
  return show_journal(std::move(*reader), query, remote, terminal);
}

}  // namespace espalier::cli
