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

constexpr std::size_t label_width = 14;

// "label         text", long texts in several lines below each other.
class Facts {
 public:
  explicit Facts(const Terminal& terminal) : terminal_(terminal) {}

  void add(const std::string& label, const std::string& text, Ink ink = Ink::plain) {
    if (text.empty()) return;
    const std::size_t left = terminal_.width == Terminal::unlimited
                                 ? terminal_.width
                                 : terminal_.width - std::min(terminal_.width - 10, label_width);
    std::string head = paint(fit(label, label_width), Ink::faint, terminal_.color);
    for (const std::string& line : wrap(text, left)) {
      out_ += head + paint(line, ink, terminal_.color) + "\n";
      head = std::string(label_width, ' ');
    }
  }
  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  const Terminal& terminal_;
  std::string out_;
};

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string resources_text(const ipc::ResourceInfo& resources) {
  std::string out = short_bytes(resources.rss_bytes) + " of memory, " +
                    short_span(resources.cpu_ms) + " of processor time";
  if (resources.fds) out += ", " + count_of(*resources.fds, "open descriptor");
  return out;
}

void add_configuration(Facts& facts, const NodeInfo& node) {
  facts.add("restart type", node.restart_type.value_or(""));
  if (node.strategy) facts.add("strategy", to_string(*node.strategy));
  facts.add("severity", to_string(node.severity));
  if (node.role) facts.add("role", to_string(*node.role));
  facts.add("group", node.group.value_or(""));
  facts.add("needs", join(node.dependencies));
  facts.add("tags", join(node.tags));
  facts.add("command", node.command.value_or(""));
  facts.add("configured", node.source.value_or(""));
}

std::string rule_text(const ipc::RuleInfo& rule) {
  if (rule.tokens) {
    std::string tokens = std::to_string(*rule.tokens);
    tokens.resize(tokens.find('.') + 2);
    return tokens + " tokens left";
  }
  if (rule.limit == 0) return rule.count == 0 ? "" : std::to_string(rule.count);
  std::string out = std::to_string(rule.count) + " of " + std::to_string(rule.limit);
  if (rule.window_ms > 0) out += " in " + short_span(rule.window_ms);
  return out;
}

}  // namespace

std::string render_node(const NodeInfo& node, ipc::Timestamp now, const Terminal& terminal) {
  Facts facts(terminal);
  facts.add("path", node.path, Ink::strong);
  facts.add("kind", to_string(node.kind));
  facts.add("state", phase_word(node) + " for " + age(node.since, now), ink_of(node));
  facts.add("wanted", to_string(node.intent));
  facts.add("generation", std::to_string(node.generation) + ", attempt " +
                              std::to_string(node.attempt) + " since it was last stable");
  if (node.pid) facts.add("pid", std::to_string(*node.pid));
  facts.add("readiness", node.readiness);
  facts.add("health", node.health);
  facts.add("says", node.status_text.value_or(""));
  facts.add("restarts",
            std::to_string(node.restarts.total) + " in all" +
                (node.restarts.limit > 0 ? ", " + restarts_text(node.restarts) + " of its limit"
                                         : ", no limit of its own"));
  if (node.pending_restart) {
    const auto& pending = *node.pending_restart;
    facts.add(
        "next restart",
        (pending.at > now ? "in " + short_span(pending.at - now) + ": " : "") + pending.reason,
        Ink::busy);
  }
  if (node.last_exit) facts.add("last exit", exit_text(*node.last_exit));
  facts.add("decision", node.last_decision.value_or(""));
  if (node.resources) facts.add("uses", resources_text(*node.resources));
  add_configuration(facts, node);
  return facts.text();
}

std::string render_why(const ipc::WhyResult& why, const Terminal& terminal) {
  std::string out;
  for (const std::string& line : wrap(why.sentence, terminal.width))
    out += paint(line, Ink::strong, terminal.color) + "\n";
  if (why.decision) {
    Table rules({{"RULE"}, {"COUNTED"}, {""}});
    for (const ipc::RuleInfo& rule : why.decision->rules) {
      rules.add({{rule.rule, rule.decided ? Ink::busy : Ink::plain},
                 {rule_text(rule)},
                 {rule.decided ? "decided" : "", Ink::busy}});
    }
    out += "\nVerdict: " + escape_controls(why.decision->verdict);
    if (why.decision->delay_ms > 0) out += " (after " + short_span(why.decision->delay_ms) + ")";
    out += "\n";
    if (!rules.empty()) out += rules.render(terminal, "  ");
  }
  if (!why.chain.empty()) out += "\nBecause (newest first):\n";
  Terminal narrower = terminal;
  if (terminal.width != Terminal::unlimited) narrower.width -= 2;
  for (const ipc::RawJson& link : why.chain) {
    if (const auto event = ipc::parse_json(link.text))
      out += "  " + event_line(*event, narrower) + "\n";
  }
  if (!why.complete) out += "  (what led to this is older than the kept events)\n";
  return out;
}

}  // namespace espalier::cli
