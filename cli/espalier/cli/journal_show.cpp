#include "espalier/cli/journal_show.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/journal_verify.hpp"
#include "espalier/cli/remote/interrupt.hpp"
#include "espalier/cli/remote/lines.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/supervisor/core/path_pattern.hpp"
#include "espalier/supervisor/observe/journal_line.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <deque>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using ipc::Json;

constexpr auto look_again = std::chrono::milliseconds{200};
constexpr std::array<std::string_view, 4> severities = {"debug", "info", "warning", "error"};

/// The numbers of the runs in a journal, in their order.
std::vector<std::uint64_t> runs_in(const std::string& folder) {
  std::vector<std::uint64_t> runs;
  auto reader = sv::JournalReader::open(folder);
  while (reader) {
    const auto item = reader->next();
    if (!item) break;
    if (item->kind != sv::JournalItem::Kind::event) continue;
    const auto run = sv::run_of_journal_line(item->text);
    if (run != 0 && std::find(runs.rbegin(), runs.rend(), run) == runs.rend()) runs.push_back(run);
  }
  return runs;
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
  Show(const JournalQuery& query, const RemoteOptions& options, const Terminal& terminal)
      : query_(query), options_(options), terminal_(terminal) {}

  int run(sv::JournalReader reader) {
    read(reader);
    print_last();
    if (options_.follow) {
      last_.reset();
      while (!interrupt_.was_pressed() && !is_closed()) {
        read(reader);
        std::this_thread::sleep_for(look_again);
      }
      return is_closed() ? exit_done : exit_interrupted;
    }
    if (interrupt_.was_pressed()) return exit_interrupted;
    if (is_whole()) print_whole();
    return problems_.empty() ? exit_done : exit_failed;
  }

 private:
  [[nodiscard]] bool is_whole() const { return options_.output == "json" && !options_.follow; }
  [[nodiscard]] bool is_closed() const { return !terminal_.out.good() || is_output_closed(); }

  void read(sv::JournalReader& reader) {
    while (const auto item = reader.next()) {
      if (is_closed() || interrupt_.was_pressed()) return;
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
    if (!last_ && !query_.reverse) return print(std::move(*event));
    kept_.push_back(line);
    if (last_ && kept_.size() > *last_) kept_.pop_front();
  }

  [[nodiscard]] bool is_wanted(const Json& event) const {
    if (rank(text_of(event, "severity")) < rank(options_.severity)) return false;
    const auto& types = options_.types;
    if (!types.empty() &&
        std::find(types.begin(), types.end(), text_of(event, "type")) == types.end())
      return false;
    if (query_.run && event.value("epoch", std::uint64_t{0}) != *query_.run) return false;
    if (!query_.until.empty() && text_of(event, "at") >= query_.until) return false;
    const auto& correlation = query_.correlation;
    if (!correlation.empty() && text_of(event, "correlation_id") != correlation) return false;
    const auto wanted = options_.path("");
    return is_about(wanted, text_of(event, "path")) ||
           (event.contains("child") && is_about(wanted, text_of(event, "child")));
  }

  void print_last() {
    auto kept = std::exchange(kept_, {});
    if (query_.reverse) std::reverse(kept.begin(), kept.end());
    for (const auto& line : kept)
      print(*ipc::parse_json(line));  // It was one when it was kept.
  }

  void print(Json event) {
    event.erase("crc32");  // Of the bytes in the file, which these are no longer.
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

  const JournalQuery& query_;
  const RemoteOptions& options_;
  const Terminal& terminal_;
  const Interrupt interrupt_ = {};
  /// Only so many, as long as it has a value.
  std::optional<std::uint64_t> last_ = options_.lines;
  /// As the journal has them: parsed they are ten times as large.
  std::deque<std::string> kept_ = {};
  Json whole_ = Json::array();
  Json problems_ = Json::array();
};

}  // namespace

expected<std::uint64_t, std::string> run_of(const std::string& word, const std::string& folder) {
  std::int64_t wanted = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), wanted);
  if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size()) {
    return unexpected<std::string>{"'" + word +
                                   "' is no run; write its number, or 0 for the last one and -1 "
                                   "for the one before"};
  }
  if (wanted > 0) return static_cast<std::uint64_t>(wanted);
  const auto runs = runs_in(folder);
  const auto back = 0 - static_cast<std::uint64_t>(wanted);
  if (back < runs.size()) return runs[runs.size() - 1 - back];
  return unexpected<std::string>{"of runs the journal has only " + std::to_string(runs.size()) +
                                 "; `espalier journal stats` names them"};
}

int show_journal(sv::JournalReader reader, const JournalQuery& query, const RemoteOptions& options,
                 const Terminal& terminal) {
  return Show(query, options, terminal).run(std::move(reader));
}

}  // namespace espalier::cli
