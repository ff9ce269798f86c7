#include "espalier/cli/remote/steer.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/commander.hpp"
#include "espalier/cli/remote/select_paths.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/supervisor/core/path_pattern.hpp"

#include <algorithm>
#include <charconv>

namespace espalier::cli {
namespace {

// How a verb on children is carried out.
struct Steering {
  const char* verb;
  const char* method;
  bool reaches_below;  ///< What is done to a supervisor is done to its children.
  bool takes_down;     ///< Asks where it is about more than one child.
  bool always_asks;
};

constexpr std::size_t most_named = 5;

std::string question_of(const Steering& steering, const std::vector<std::string>& paths) {
  std::string out = steering.verb;
  out[0] = static_cast<char>(out[0] - 'a' + 'A');
  for (std::size_t i = 0; i < paths.size() && i < most_named; ++i)
    out += (i == 0 ? " " : ", ") + paths[i];
  if (paths.size() > most_named)
    out += " and " + std::to_string(paths.size() - most_named) + " more";
  return out + "?";
}

// The children that are meant; nothing where that has been reported already.
std::optional<std::vector<std::string>> targets_of(const Steering& steering,
                                                   const RemoteOptions& options,
                                                   Commander& commander) {
  const bool expands = options.all || std::any_of(options.paths.begin(), options.paths.end(),
                                                  [](const std::string& path) {
                                                    return supervisor::is_pattern(path);
                                                  });
  if (!expands) return options.paths;
  const auto state = commander.session().state();
  if (!state) {
    commander.fail(state.error());
    return {};
  }
  const std::vector<std::string> patterns =
      options.all ? std::vector<std::string>{"/**"} : options.paths;
  auto paths = select_paths(state->value.snapshot.nodes, patterns, steering.reaches_below);
  if (paths.empty()) {
    commander.fail({exit_denied, "no child matches " + patterns.front() +
                                     "; espalier list shows what there is"});
    return {};
  }
  return paths;
}

int steer(const Steering& steering, const RemoteOptions& options, const Terminal& terminal) {
  Commander commander(options, terminal, steering.verb);
  if (options.paths.empty() != options.all) {
    return commander.fail({exit_usage, options.all ? "name children or say --all, not both"
                                                   : std::string(steering.verb) +
                                                         ": which child? Name its PATH, a "
                                                         "pattern such as '/workers/*', or --all"});
  }
  if (!commander.connect()) return commander.finish();
  const auto paths = targets_of(steering, options, commander);
  if (!paths) return commander.finish();
  const bool single = options.expected_generation || !options.command_id.empty();
  if (single && paths->size() > 1) {
    return commander.fail({exit_usage,
                           "--expected-generation and --command-id are about one "
                           "child, and these are " +
                               std::to_string(paths->size())});
  }
  const bool asks = steering.always_asks || (steering.takes_down && paths->size() > 1);
  if (asks && !commander.may(question_of(steering, *paths))) return commander.finish();
  const bool several = options.all || paths->size() > 1 || supervisor::is_pattern(options.path());
  for (const std::string& path : *paths) {
    ipc::CommandParams params = commander.params(path);
    if (steering.always_asks) params.confirmed = true;
    commander.send(steering.method, params, path);
  }
  return commander.finish(several);
}

// Lets the restarts of a held group go on; the path is that of the supervisor that has the group.
int reset_group(const RemoteOptions& options, const Terminal& terminal) {
  Commander commander(options, terminal, "reset");
  if (!commander.connect()) return commander.finish();
  ipc::CommandParams params = commander.params(options.path());
  params.group = options.group;
  commander.send("reset_group", params, options.path());
  return commander.finish();
}

}  // namespace

int start_verb(const RemoteOptions& options, const Terminal& terminal) {
  return steer({"start", "start_child", false, false, false}, options, terminal);
}

int stop_verb(const RemoteOptions& options, const Terminal& terminal) {
  return steer({"stop", "stop_child", true, true, false}, options, terminal);
}

int restart_verb(const RemoteOptions& options, const Terminal& terminal) {
  return steer({"restart", "restart_child", true, true, false}, options, terminal);
}

int pause_verb(const RemoteOptions& options, const Terminal& terminal) {
  return steer({"pause", "pause_child", true, true, false}, options, terminal);
}

int resume_verb(const RemoteOptions& options, const Terminal& terminal) {
  return steer({"resume", "resume_child", false, false, false}, options, terminal);
}

int quarantine_verb(const RemoteOptions& options, const Terminal& terminal) {
  return steer({"quarantine", "quarantine_child", true, true, false}, options, terminal);
}

int reset_verb(const RemoteOptions& options, const Terminal& terminal) {
  if (!options.group.empty()) return reset_group(options, terminal);
  return steer({"reset", "reset_child", false, false, false}, options, terminal);
}

int remove_verb(const RemoteOptions& options, const Terminal& terminal) {
  return steer({"remove", "remove_child", true, true, true}, options, terminal);
}

expected<std::uint64_t, std::string> pool_size(const std::string& text, std::uint64_t now) {
  const bool is_relative = text.starts_with('+') || text.starts_with('-');
  const char* const begin = text.data() + (is_relative ? 1 : 0);
  const char* const end = text.data() + text.size();
  constexpr std::uint64_t most = 1'000'000;
  std::uint64_t n = 0;
  const auto parsed = std::from_chars(begin, end, n);
  if (parsed.ec != std::errc() || parsed.ptr != end || n > most) {
    return unexpected<std::string>("'" + text +
                                   "' is no size; write how many instances, or +N or -N");
  }
  if (text.starts_with('+')) return now + n;
  if (!text.starts_with('-')) return n;
  if (n > now) {
    return unexpected<std::string>("the pool has " + std::to_string(now) + " instances, " + text +
                                   " is more than there are");
  }
  return now - n;
}

std::string render_answer(const std::string& path, bool dry_run, const ipc::CommandAnswer& answer,
                          const Terminal& terminal) {
  std::string text;
  switch (answer.status) {
    case ipc::CommandStatus::completed:
      text = answer.outcome ? answer.outcome->text : "done";
      break;
    case ipc::CommandStatus::accepted:
      text = "accepted, goes on as command " + answer.command_id;
      break;
    case ipc::CommandStatus::timed_out:
      text = "not done in time; it goes on (command " + answer.command_id +
             "). Look with: espalier show " + path + "; wait longer with --timeout";
      break;
    case ipc::CommandStatus::rejected:
      text = answer.error ? answer.error->message : "refused";
      break;
  }
  if (text.empty()) text = "done";
  if (!text.starts_with(path)) text = path + ": " + text;
  if (answer.repeated.value_or(false)) text += " (the answer of the first time)";
  std::string out = paint(escape_controls((dry_run ? "dry run: " : "") + text),
                          dry_run ? Ink::faint : Ink::plain, terminal.color) +
                    "\n";
  if (answer.outcome) {
    for (const std::string& step : answer.outcome->plan)
      out += "  " + escape_controls(step) + "\n";
  }
  return out;
}

}  // namespace espalier::cli
