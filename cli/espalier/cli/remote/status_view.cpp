#include "espalier/cli/remote/status_view.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/lines.hpp"
#include "espalier/cli/remote/table.hpp"
#include "espalier/cli/remote/views.hpp"
#include "espalier/cli/remote/words.hpp"
#include "espalier/cli/text_cells.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace espalier::cli {
namespace {

using ipc::NodeInfo;

constexpr std::size_t most_rows = 8;

Terminal indented(const Terminal& terminal) {
  Terminal out = terminal;
  if (terminal.width != Terminal::unlimited) out.width -= 2;
  return out;
}

std::string counts_text(const ipc::Snapshot& snapshot) {
  std::string out;
  for (std::size_t i = 0; i < ipc::WireWords<ipc::Lifecycle>::count; ++i) {
    const auto found = snapshot.counts.find(to_string(static_cast<ipc::Lifecycle>(i)));
    if (found == snapshot.counts.end() || found->second == 0) continue;
    out += (out.empty() ? "" : ", ") + std::to_string(found->second) + " " + found->first;
  }
  return out;
}

std::string title(const std::string& text, const Terminal& terminal) {
  return "\n" + paint(text, Ink::strong, terminal.color) + "\n";
}

std::string head(const StatusFacts& facts, const Terminal& terminal) {
  const auto& hello = facts.hello;
  const auto now = facts.snapshot.generated_at;
  const std::string state = facts.snapshot.state;
  std::string out = paint(terminal.unicode ? "● " : "* ", ink_of_state(state), terminal.color) +
                    paint(escape_controls(hello.display_name), Ink::strong, terminal.color) + "  " +
                    paint(escape_controls(state), ink_of_state(state), terminal.color) + " for " +
                    age(facts.health.since, now) + "\n";
  const auto line = [&](const std::string& text) {
    for (const std::string& part : wrap(text, indented(terminal).width))
      out += "  " + part + "\n";
  };
  line("pid " + std::to_string(hello.pid) + ", up since " + short_time(hello.started_at) + " (" +
       age(hello.started_at, now) + "), espalier " + hello.version +
       (facts.snapshot.config_version.empty()
            ? ""
            : ", configuration " + facts.snapshot.config_version));
  line(std::to_string(facts.health.ready) + " of " + std::to_string(facts.health.total) +
       " children ready; " + counts_text(facts.snapshot));
  line(count_of(facts.health.restarts, "restart") + " and " +
       count_of(facts.health.failures, "failure") + " since the start");
  if (facts.health.reason) line("ended: " + *facts.health.reason);
  if (facts.snapshot.shutdown) {
    line("shutting down: " + facts.snapshot.shutdown->phase + ", " +
         std::to_string(facts.snapshot.shutdown->remaining) + " to go");
  }
  return out;
}

// Rows of nodes that a test picks, and how many more there are.
template <class Pick, class Row>
std::string section(const std::string& heading, const StatusFacts& facts, const Terminal& terminal,
                    Pick pick, Row row) {
  Table table({{""}, {""}, {""}});
  std::size_t more = 0;
  std::size_t shown = 0;
  for (const NodeInfo& node : facts.snapshot.nodes) {
    if (!pick(node)) continue;
    if (shown++ < most_rows) {
      table.add(row(node));
    } else {
      ++more;
    }
  }
  if (table.empty()) return "";
  std::string out = title(heading, terminal) + table.render(terminal, "  ");
  if (more > 0) out += "  and " + std::to_string(more) + " more; espalier list --sort state\n";
  return out;
}

std::string unwell(const StatusFacts& facts, const Terminal& terminal) {
  const auto& names = facts.health.not_ready;
  const auto pick = [&](const NodeInfo& node) {
    return std::find(names.begin(), names.end(), node.path) != names.end() ||
           (node.path != "/" && ink_of(node) == Ink::bad);
  };
  return section("Not ready", facts, terminal, pick, [&](const NodeInfo& node) {
    const std::string why = node.last_decision ? *node.last_decision
                            : node.status_text ? *node.status_text
                                               : std::string();
    return std::vector<Cell>{{node.path}, {phase_word(node), ink_of(node)}, {why}};
  });
}

// Not ready, but for a reason: somebody wanted it so, and may have forgotten it.
std::string held(const StatusFacts& facts, const Terminal& terminal) {
  const auto now = facts.snapshot.generated_at;
  const auto pick = [](const NodeInfo& node) {
    return node.intent != ipc::WireIntent::active && node.path != "/";
  };
  return section("Held by an operator", facts, terminal, pick, [&](const NodeInfo& node) {
    return std::vector<Cell>{
        {node.path}, {phase_word(node), Ink::busy}, {"for " + age(node.since, now)}};
  });
}

std::string restarts(const StatusFacts& facts, const Terminal& terminal) {
  const auto now = facts.snapshot.generated_at;
  const auto used = [](const NodeInfo& node) { return node.restarts.used > 0; };
  const auto waiting = [](const NodeInfo& node) { return node.pending_restart.has_value(); };
  return section("Restarts in their window", facts, terminal, used,
                 [&](const NodeInfo& node) {
                   return std::vector<Cell>{{node.path},
                                            {restarts_text(node.restarts)},
                                            {std::to_string(node.restarts.total) + " in all"}};
                 }) +
         section("Restarts to come", facts, terminal, waiting, [&](const NodeInfo& node) {
           const auto& pending = *node.pending_restart;
           return std::vector<Cell>{
               {node.path},
               {pending.at > now ? "in " + short_span(pending.at - now) : "waits", Ink::busy},
               {pending.reason}};
         });
}

}  // namespace

std::string render_status(const StatusFacts& facts, const Terminal& terminal) {
  std::string out;
  const bool is_tree = facts.snapshot.nodes.empty() || facts.snapshot.nodes.front().path == "/";
  out += is_tree ? head(facts, terminal)
                 : render_node(facts.snapshot.nodes.front(), facts.snapshot.generated_at, terminal);
  if (is_tree) out += unwell(facts, terminal) + held(facts, terminal);
  out += restarts(facts, terminal);
  const Terminal inner = indented(terminal);
  if (!facts.failures.empty()) {
    out += title("Last failures", terminal);
    for (const ipc::Json& event : facts.failures)
      out += "  " + event_line(event, inner) + "\n";
  }
  if (!facts.lines.empty()) {
    out += title("Last lines", terminal);
    for (const ipc::LogLine& line : facts.lines)
      out += "  " + log_line(line, inner) + "\n";
  }
  return out;
}

int status_code(const StatusFacts& facts) {
  const auto& nodes = facts.snapshot.nodes;
  if (nodes.empty() || nodes.front().path == "/") {
    return facts.snapshot.state == "up" ? exit_done : exit_unwell;
  }
  return nodes.front().lifecycle == ipc::Lifecycle::ready ? exit_done : exit_unwell;
}

std::string health_line(const ipc::HealthResult& health, ipc::Timestamp now) {
  std::string out = std::string(to_string(health.state)) + " for " + age(health.since, now) + ": " +
                    std::to_string(health.ready) + " of " + std::to_string(health.total) +
                    " children ready, " + count_of(health.restarts, "restart") + ", " +
                    count_of(health.failures, "failure");
  for (std::size_t i = 0; i < health.not_ready.size() && i < 3; ++i)
    out += (i == 0 ? "; not ready: " : ", ") + health.not_ready[i];
  if (health.not_ready.size() > 3) out += ", ...";
  if (health.reason) out += "; " + *health.reason;
  return out;
}

}  // namespace espalier::cli
