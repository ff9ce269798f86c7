#include "espalier/cli/remote/diagnose.hpp"
#include "espalier/cli/remote/table.hpp"
#include "espalier/cli/text_cells.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace espalier::cli {
namespace {

Ink ink_of(Finding::Rank rank) {
  switch (rank) {
    case Finding::Rank::critical:
      return Ink::bad;
    case Finding::Rank::warning:
      return Ink::busy;
    case Finding::Rank::note:
      return Ink::plain;
  }
  return Ink::plain;
}

}  // namespace

const char* to_string(Finding::Rank x) {
  switch (x) {
    case Finding::Rank::critical:
      return "critical";
    case Finding::Rank::warning:
      return "warning";
    case Finding::Rank::note:
      return "note";
  }
  return "unknown";
}

std::string render_findings(const std::vector<Finding>& findings, const Terminal& terminal) {
  std::string out;
  const std::size_t left =
      terminal.width == Terminal::unlimited ? terminal.width : terminal.width - 4;
  std::size_t number = 0;
  for (const Finding& finding : findings) {
    const std::string subject = finding.path.empty() ? "" : finding.path + " ";
    const std::string head = std::to_string(++number) + ". " + to_string(finding.rank) + ": ";
    bool first = true;
    for (const std::string& line : wrap(head + subject + finding.text, left)) {
      out += (first ? "" : "    ") + paint(line, ink_of(finding.rank), terminal.color) + "\n";
      first = false;
    }
    for (const std::string& line : wrap(finding.evidence, left))
      out += "    " + line + "\n";
    out +=
        "    " + paint("look: " + escape_controls(finding.look), Ink::faint, terminal.color) + "\n";
  }
  if (findings.empty()) out = "nothing found\n";
  return out;
}

ipc::Json json_of(const Finding& finding) {
  return {{"rank", to_string(finding.rank)},
          {"code", finding.code},
          {"path", finding.path},
          {"text", finding.text},
          {"evidence", finding.evidence},
          {"look", finding.look}};
}

}  // namespace espalier::cli
