#include "espalier/cli/journal_command.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/journal_report.hpp"
#include "espalier/cli/params.hpp"
#include "espalier/cli/remote/interrupt.hpp"
#include "espalier/cli/remote/lines.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/supervisor/core/path_pattern.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"
#include "espalier/supervisor/observe/json_object.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <filesystem>
#include <optional>
#include <regex>
#include <string_view>
#include <thread>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using ipc::Json;

constexpr auto look_again = std::chrono::milliseconds{200};
constexpr std::array<std::string_view, 4> severities = {"debug", "info", "warning", "error"};

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

std::string text_of(const Json& json, const char* key) {
  const auto field = json.find(key);
  return field != json.end() && field->is_string() ? field->get<std::string>() : "";
}

bool is_about(const std::string& wanted, const std::string& path) {
  if (wanted.empty() || wanted == "/") return true;
  if (sv::is_pattern(wanted)) return sv::fits_pattern(wanted, path);
  return path == wanted || path.starts_with(wanted + "/");
}

std::size_t rank(const std::string& severity) {
  const auto found = std::find(severities.begin(), severities.end(), severity);
  return static_cast<std::size_t>(found - severities.begin()) % severities.size();
}

class Show {
 public:
  Show(const RemoteOptions& options, const Terminal& terminal)
      : options_(options), terminal_(terminal) {}

  int run(sv::JournalReader reader) {
    const Interrupt interrupt;
    read(reader);
    print_last();
    if (options_.follow) {
      last_.reset();
      while (!interrupt.was_pressed() && !is_closed()) {
        read(reader);
        std::this_thread::sleep_for(look_again);
      }
      return is_closed() ? exit_done : exit_interrupted;
    }
    if (is_whole()) print_whole();
    return problems_.empty() ? exit_done : exit_failed;
  }

 private:
  [[nodiscard]] bool is_whole() const { return options_.output == "json" && !options_.follow; }
  [[nodiscard]] bool is_closed() const { return !terminal_.out.good() || is_output_closed(); }

  void read(sv::JournalReader& reader) {
    while (const auto item = reader.next()) {
      if (is_closed()) return;
      if (item->kind == sv::JournalItem::Kind::event) {
        add(item->text);
      } else {
        terminal_.err << place_text(*item) << "\n" << std::flush;
        problems_.push_back(place_text(*item));
      }
    }
  }

  void add(const std::string& line) {
    auto event = ipc::parse_json(line);
    if (!event || !is_wanted(*event)) return;
    event->erase("crc32");  // Of the bytes in the file, which these are no longer.
    if (!last_) {
      print(std::move(*event));
      return;
    }
    kept_.push_back(std::move(*event));
    if (kept_.size() > *last_) kept_.pop_front();
  }

  [[nodiscard]] bool is_wanted(const Json& event) const {
    if (rank(text_of(event, "severity")) < rank(options_.severity)) return false;
    const auto& types = options_.types;
    if (!types.empty() &&
        std::find(types.begin(), types.end(), text_of(event, "type")) == types.end())
      return false;
    const auto wanted = options_.path("");
    return is_about(wanted, text_of(event, "path")) ||
           (event.contains("child") && is_about(wanted, text_of(event, "child")));
  }

  void print_last() {
    for (auto& event : std::exchange(kept_, {}))
      print(std::move(event));
  }

  void print(Json event) {
    if (is_whole()) {
      whole_.push_back(std::move(event));
      return;
    }
    if (options_.output == "text") {
      event.erase("position");
      terminal_.out << event_line(event, terminal_) << "\n";
    } else {
      terminal_.out << safe_json(event) << "\n";
    }
    if (options_.follow) terminal_.out << std::flush;
  }

  void print_whole() const {
    terminal_.out << safe_json_pretty({{"events", whole_}, {"problems", problems_}}) << "\n";
  }

  const RemoteOptions& options_;
  const Terminal& terminal_;
  std::optional<std::uint64_t> last_ =
      options_.lines;  ///< Only so many, as long as it has a value.
  std::deque<Json> kept_ = {};
  Json whole_ = Json::array();
  Json problems_ = Json::array();
};

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
  CLI::Option* const since =
      show->add_option("--since", words.since,
                       "Only from this time on: 2026-11-22T06:00:00Z (UTC), or 90m back from now")
          ->check(
              [](const std::string& text) {
                return time_of(text) ? std::string{}
                                     : "'" + text +
                                           "' is no time; write 2026-11-22T06:00:00Z, or a "
                                           "span back from now such as 90m";
              },
              "")
          ->type_name("TIME");
  show->add_option("--from", words.from, "Only from this position on")
      ->check(CLI::PositiveNumber)
      ->excludes(since)
      ->type_name("POSITION");
  show->add_option("-n,--lines", remote.lines, "Only so many of the last (default: all)")
      ->type_name("N");
  show->add_flag("-f,--follow", remote.follow, "Go on with new events");
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
  return Show(remote, terminal).run(std::move(*reader));
}

}  // namespace espalier::cli
