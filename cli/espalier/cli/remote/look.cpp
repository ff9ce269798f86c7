#include "espalier/cli/remote/look.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/select_paths.hpp"
#include "espalier/cli/remote/session.hpp"
#include "espalier/cli/remote/table.hpp"
#include "espalier/cli/remote/views.hpp"
#include "espalier/cli/remote/words.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/ipc/client/find_target.hpp"
#include "espalier/supervisor/core/path_pattern.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <string_view>

namespace espalier::cli {
namespace {

using ipc::Json;

int fail(const Terminal& terminal, const Failure& failure) {
  return fail(terminal, failure.code, failure.message);
}

// The answer of a verb with one result; true where that was what the user wants to see.
bool print_json(const RemoteOptions& options, const Terminal& terminal, const Json& json) {
  if (options.output == "text") return false;
  terminal.out << (options.output == "json" ? safe_json_pretty(json) : safe_json(json)) << "\n";
  return true;
}

// Bash expands the words that it is offered: what a shell could take for more than a word is left
// out, whatever a target calls its children.
bool is_safe_word(const std::string& path) {
  return std::all_of(path.begin(), path.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("/_-.:@+").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

Json nodes_json(const std::vector<ipc::NodeInfo>& nodes) {
  Json out = Json::array();
  for (const ipc::NodeInfo& node : nodes)
    out.push_back(json_of(node));
  return out;
}

// -o json: the whole answer with these nodes; ndjson: a line for each of them.
bool print_nodes(const RemoteOptions& options, const Terminal& terminal, Json answer,
                 const std::vector<ipc::NodeInfo>& nodes) {
  if (options.output == "text") return false;
  const Json list = nodes_json(nodes);
  if (options.output == "ndjson") {
    for (const Json& node : list)
      terminal.out << safe_json(node) << "\n";
  } else {
    answer["snapshot"]["nodes"] = list;
    terminal.out << safe_json_pretty(answer) << "\n";
  }
  return true;
}

}  // namespace

int tree_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error());
  const auto state = session->state(options.path(), options.depth);
  if (!state) return fail(terminal, state.error());
  if (options.output == "ndjson") {
    print_nodes(options, terminal, state->json, state->value.snapshot.nodes);
  } else if (!print_json(options, terminal, state->json)) {
    terminal.out << render_tree(state->value.snapshot, terminal);
  }
  return exit_done;
}

int list_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error());
  const bool pattern = supervisor::is_pattern(options.path());
  const auto state = session->state(pattern ? "/" : options.path());
  if (!state) return fail(terminal, state.error());
  auto nodes = arrange(state->value.snapshot.nodes, options.sort, options.filter);
  if (pattern) {
    std::erase_if(nodes, [&](const ipc::NodeInfo& node) {
      return !supervisor::fits_pattern(options.path(), node.path);
    });
  }
  if (!print_nodes(options, terminal, state->json, nodes))
    terminal.out << render_list(nodes, state->value.snapshot.generated_at, terminal);
  return exit_done;
}

int show_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error());
  const auto state = session->state(options.path(), 0, true);
  if (!state) return fail(terminal, state.error());
  const auto& snapshot = state->value.snapshot;
  if (print_nodes(options, terminal, state->json, snapshot.nodes)) return exit_done;
  for (const ipc::NodeInfo& node : snapshot.nodes)
    terminal.out << render_node(node, snapshot.generated_at, terminal);
  return exit_done;
}

int why_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error());
  const auto why = session->ask<ipc::WhyResult>("why", ipc::PathParams{options.path()});
  if (!why) return fail(terminal, why.error());
  if (!print_json(options, terminal, why->json)) terminal.out << render_why(why->value, terminal);
  return exit_done;
}

int snapshot_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error());
  const auto state = session->state(options.path(), {}, true);
  if (!state) return fail(terminal, state.error());
  terminal.out << (options.output == "ndjson" ? safe_json(state->json)
                                              : safe_json_pretty(state->json))
               << "\n";
  return exit_done;
}

int health_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error());
  const auto health = session->ask<ipc::HealthResult>("health", ipc::Nothing{});
  if (!health) return fail(terminal, health.error());
  if (!print_json(options, terminal, health->json)) {
    const std::string line = health_line(health->value, std::chrono::system_clock::now());
    terminal.out << paint(cut(escape_controls(line), terminal.width),
                          ink_of_state(to_string(health->value.state)), terminal.color)
                 << "\n";
  }
  return health->value.state == supervisor::HealthReport::State::up ? exit_done : exit_unwell;
}

int pipelines_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error());
  ipc::PipelinesParams params;
  if (options.path() != "/") params.path = options.path();
  const auto all = session->ask<ipc::PipelinesResult>("pipelines", params);
  if (!all) return fail(terminal, all.error());
  if (!print_json(options, terminal, all->json))
    terminal.out << render_pipelines(all->value, terminal);
  return exit_done;
}

int ping_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error());
  const auto before = std::chrono::steady_clock::now();
  const auto pong = session->ask<ipc::PingResult>("ping", ipc::Nothing{});
  if (!pong) return fail(terminal, pong.error());
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - before;
  if (!print_json(options, terminal, pong->json)) {
    std::string ms = std::to_string(took.count());
    ms.resize(std::min(ms.size(), ms.find('.') + 4));
    terminal.out << escape_controls(session->hello().target_id) << " answers in " << ms << " ms\n";
  }
  return exit_done;
}

int targets_verb(const RemoteOptions& options, const Terminal& terminal) {
  const auto folders = ipc::runtime_folders();
  const auto found = ipc::list_targets(folders);
  Table table({{"TARGET"}, {"STATE"}, {"SOCKET"}});
  Json list = Json::array();
  for (const ipc::FoundTarget& target : found) {
    list.push_back({{"name", target.name}, {"alive", target.alive}, {"path", target.path}});
    table.add({{target.name},
               {target.alive ? "running" : "gone", target.alive ? Ink::good : Ink::faint},
               {target.path}});
  }
  if (options.output == "ndjson") {
    for (const Json& target : list)
      terminal.out << safe_json(target) << "\n";
  } else if (!print_json(options, terminal, {{"targets", list}})) {
    terminal.out << table.render(terminal);
  }
  if (!found.empty()) return exit_done;
  std::string where;
  for (const std::string& folder : folders)
    where += (where.empty() ? "" : ", ") + folder;
  return fail(terminal, exit_not_running,
              "no target in " + where + "; start one with: espalier run FILE --socket");
}

int remote_version_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error());
  const auto hello = session->ask<ipc::HelloResult>("hello", ipc::HelloParams{});
  if (!hello) return fail(terminal, hello.error());
  if (print_json(options, terminal, hello->json)) return exit_done;
  terminal.out << "espalier " << ESPALIER_VERSION << " here\n"
               << escape_controls(hello->value.display_name + ": " + hello->value.version + ", " +
                                  hello->value.protocol_version + ", pid " +
                                  std::to_string(hello->value.pid))
               << "\n";
  return exit_done;
}

int paths_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options, "1s");
  if (!session) return exit_done;
  const auto state = session->state();
  if (!state) return exit_done;
  for (const ipc::NodeInfo& node : state->value.snapshot.nodes) {
    if (is_safe_word(node.path)) terminal.out << node.path << "\n";
  }
  return exit_done;
}

}  // namespace espalier::cli
