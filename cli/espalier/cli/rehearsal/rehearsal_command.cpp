#include "espalier/cli/rehearsal/rehearsal_command.hpp"

#include "espalier/cli/console.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/params.hpp"
#include "espalier/cli/rehearsal/recorded.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/rehearsal/advice.hpp"
#include "espalier/rehearsal/rehearse.hpp"
#include "espalier/rehearsal/render.hpp"
#include "espalier/rehearsal/storm_file.hpp"
#include "espalier/supervisor/core/decision.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using rehearsal::Report;
using rehearsal::Storm;

/// Of a timeline that nobody looks at on a terminal.
constexpr std::size_t widest = 120;

int refuse(const Streams& streams, int code, const std::string& problem) {
  streams.err << "espalier: " << escape_controls(problem) << "\n";
  return code;
}

/// Nothing: the problems have been told.
std::optional<sv::TreeConfig> tree_of(const std::string& file, const Streams& streams) {
  auto config = load_tree(file);
  if (config) return std::move(*config);
  streams.err << render_problems(config.error());
  return std::nullopt;
}

/// As elsewhere, and days.
std::optional<sv::Duration> span_of(const std::string& text) {
  if (!text.ends_with('d')) return parse_duration(text);
  const auto hours = parse_duration(text.substr(0, text.size() - 1) + "h");
  return hours && *hours <= std::chrono::hours{24 * 365} ? std::optional(24 * *hours)
                                                         : std::nullopt;
}

/// Or the exit code.
expected<Storm, int> storm_of(const RehearsalWords& words, const sv::SupervisorSpec& tree,
                              const Streams& streams) {
  Storm storm;
  if (!words.script.empty()) {
    auto script = rehearsal::load_storm_file(words.script);
    if (!script) {
      streams.err << render_problems(script.error());
      return unexpected<int>(exit_config_invalid);
    }
    storm = std::move(*script);
  }
  for (const auto& text : words.failures) {
    auto failures = rehearsal::parse_failures(text);
    if (!failures)
      return unexpected<int>(refuse(streams, exit_usage, "--fail: " + failures.error()));
    storm.failures.push_back(std::move(*failures));
  }
  const auto problems = rehearsal::storm_problems(storm, tree);
  for (const auto& problem : problems)
    refuse(streams, exit_config_invalid, problem);
  if (!problems.empty()) return unexpected<int>(exit_config_invalid);
  return storm;
}

int write_picture(const std::string& path, const std::string& picture, const Streams& streams) {
  std::ofstream file(path);
  file << picture;
  file.close();
  if (file) return exit_done;
  return refuse(streams, exit_failed,
                path +
                    ": the picture could not be written; is there room, "
                    "and may you write there?");
}

}  // namespace

void add_rehearsal(CLI::App& app, RehearsalWords& words) {
  const auto add_output = [&words](CLI::App& verb) {
    verb.add_option("-o,--output", words.output, "text or json (default: text)")
        ->check(CLI::IsMember({"text", "json"}));
  };
  CLI::App* const simulate = app.add_subcommand(
      "simulate", "Run the policy of a tree file in virtual time: restarts, outages, escalations");
  simulate->add_option("file", words.file, "Tree file (YAML); - reads standard input")->required();
  simulate->add_option("--script", words.script, "What goes wrong when (YAML)")->type_name("FILE");
  simulate
      ->add_option("--fail", words.failures,
                   "What fails by chance: /api:5% of its starts, /api:3/day; may be repeated")
      ->type_name("PATH:RATE")
      ->expected(1)
      ->take_all();
  simulate->add_option("--seed", words.seed, "Of chance; the same one, the same run (default: 1)");
  simulate->add_option("--for", words.length, "Virtual time, such as 12h or 30d (default: 1d)")
      ->type_name("SPAN");
  simulate->add_option("--picture", words.picture, "Write the timeline as an SVG file")
      ->type_name("PATH");
  add_output(*simulate);
  CLI::App* const what_if = app.add_subcommand(
      "what-if", "Let what a journal tells of happen again under another tree file, and compare");
  what_if->add_option("--journal", words.journal, "Folder of the journal")
      ->required()
      ->type_name("PATH");
  what_if->add_option("--config", words.file, "Tree file with the other policy")
      ->required()
      ->type_name("FILE");
  what_if->add_option("--seed", words.seed, "Of jitter (default: 1)");
  what_if->add_option("--picture", words.picture, "Write the timeline under it as an SVG file")
      ->type_name("PATH");
  add_output(*what_if);
}

int simulate_command(const RehearsalWords& words, std::size_t width, const Streams& streams) {
  const auto length = span_of(words.length);
  if (!length || *length <= sv::Duration{})
    return refuse(streams, exit_usage,
                  "--for: expected a span such as 12h or 30d, found '" + words.length + "'");
  const auto config = tree_of(words.file, streams);
  if (!config) return exit_config_invalid;
  const auto storm = storm_of(words, config->tree, streams);
  if (!storm) return storm.error();
  Report report;
  try {
    report = rehearsal::rehearse(config->tree, *storm, {.seed = words.seed, .length = *length});
  } catch (const std::logic_error& error) {
    return refuse(streams, exit_failed, words.file + ": " + error.what());
  }
  const auto title =
      words.length + " of " + words.file + " in virtual time, seed " + std::to_string(words.seed);
  if (!words.picture.empty()) {
    const auto code = write_picture(words.picture, rehearsal::timeline_svg(report, title), streams);
    if (code != exit_done) return code;
  }
  if (words.output == "json")
    streams.out << rehearsal::report_json(report) << "\n";
  else
    streams.out << title << "\n" << rehearsal::report_text(report, std::min(width, widest));
  return exit_done;
}

int what_if_command(const RehearsalWords& words, const Streams& streams) {
  const auto config = tree_of(words.file, streams);
  if (!config) return exit_config_invalid;
  const auto recorded = read_recorded(words.journal);
  if (!recorded) return refuse(streams, exit_failed, recorded.error());
  Report report;
  try {
    report = rehearsal::rehearse(config->tree, recorded->storm,
                                 {.seed = words.seed, .length = recorded->report.length});
  } catch (const std::logic_error& error) {
    return refuse(streams, exit_failed, words.file + ": " + error.what());
  }
  if (!words.picture.empty()) {
    const auto code =
        write_picture(words.picture, rehearsal::timeline_svg(report, words.file), streams);
    if (code != exit_done) return code;
  }
  if (words.output == "json") {
    streams.out << "{\"recorded\":" << rehearsal::report_json(recorded->report)
                << ",\"replayed\":" << rehearsal::report_json(report) << "}\n";
    return exit_done;
  }
  streams.out << recorded->events << " events over " << sv::human(recorded->report.length)
              << ", from " << recorded->begin << " on";
  if (recorded->damaged > 0)
    streams.out << "; " << recorded->damaged << " damaged lines left out (espalier journal verify)";
  streams.out << "\n\n"
              << rehearsal::comparison_text(
                     {"recorded", &recorded->report},
                     {std::filesystem::path(words.file).filename().string(), &report});
  return exit_done;
}

void print_advice(const sv::SupervisorSpec& tree, const Streams& streams) {
  streams.out << "The worst case of the numbers chosen, by rehearsal:\n";
  for (const auto& line : rehearsal::advice_for(tree))
    streams.out << "  " << escape_controls(line) << "\n";
  streams.out << "\n";
}

}  // namespace espalier::cli
