#include "espalier/cli/tree_text.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/supervisor/core/decision.hpp"

#include <algorithm>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

struct Line {
  std::string drawing = {};
  std::string kind = {};
  std::string what = {};
};

std::string limit_text(const std::optional<sv::RestartLimit>& limit) {
  if (!limit) return "no restart limit";
  return "at most " + std::to_string(limit->max_restarts) + " restarts in " +
         sv::human(limit->window);
}

std::string join(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : between) + word;
  return out;
}

std::string what_runs(const sv::ChildSpec& child) {
  std::string text;
  if (child.pool) {
    const sv::ChildSpec& made = child.pool->child;
    text = std::to_string(child.pool->size) + " x " + what_runs(made) + "; the pool";
  } else if (child.supervisor) {
    text = std::string(sv::to_string(child.supervisor->strategy)) + ", " +
           limit_text(child.supervisor->restart_limit);
  } else if (child.process && !child.process->command.empty()) {
    text = cut(join(child.process->command, " "), 40);
  } else {
    text = child.factory;
  }
  text += std::string(", ") + sv::to_string(child.policy.restart);
  if (child.isolation == sv::Isolation::process) text += ", in a process of its own";
  if (child.sidecar) text += ", sidecar of " + child.sidecar->primary;
  if (!child.group.empty()) text += ", in group " + child.group;
  if (!child.dependencies.empty()) text += ", after " + join(child.dependencies, ", ");
  if (child.policy.readiness == sv::Readiness::explicit_report) text += ", says when it is ready";
  if (child.policy.readiness == sv::Readiness::probe) text += ", ready once its probe succeeds";
  if (child.policy.health_check) text += ", with a health check";
  return escape_controls(text);
}

void add_lines(const sv::SupervisorSpec& spec, const std::string& indent, std::vector<Line>& out) {
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    const sv::ChildSpec& child = spec.children[i];
    const bool last = i + 1 == spec.children.size();
    out.push_back({indent + (last ? "`- " : "|- ") + child.name, sv::to_string(child.kind),
                   what_runs(child)});
    if (child.supervisor) add_lines(*child.supervisor, indent + (last ? "   " : "|  "), out);
  }
}

void add_paths(const sv::SupervisorSpec& spec, const std::string& path,
               std::vector<std::string>& out) {
  for (const std::size_t i : sv::start_order(spec).order) {
    const sv::ChildSpec& child = spec.children[i];
    const std::string child_path = sv::join_path(path, child.name);
    out.push_back(child_path);
    if (child.supervisor) add_paths(*child.supervisor, child_path, out);
  }
}

std::string headline(const sv::TreeResult& result) {
  switch (result.kind) {
    case sv::TreeResult::Kind::stopped:
      return "stopped";
    case sv::TreeResult::Kind::failed:
      return "gave up";
    case sv::TreeResult::Kind::start_failed:
      return "did not start";
  }
  return "ended";
}

}  // namespace

std::string describe_tree(const sv::SupervisorSpec& root) {
  std::vector<Line> lines;
  add_lines(root, "", lines);
  std::size_t width = 0;
  for (const Line& line : lines)
    width = std::max(width, line.drawing.size());
  std::string out = root.name + "  " + sv::to_string(root.strategy) + ", " +
                    limit_text(root.restart_limit) + "\n";
  for (const Line& line : lines) {
    out += fit(line.drawing, width) + "  " + fit(line.kind, 10) + "  " + line.what + "\n";
  }
  return out;
}

std::vector<std::string> start_paths(const sv::SupervisorSpec& root) {
  std::vector<std::string> out;
  add_paths(root, "/", out);
  return out;
}

std::vector<std::string> summarize(const sv::TreeResult& result) {
  using Outcome = sv::ChildShutdownOutcome;
  std::vector<std::string> lines;
  std::string first = headline(result);
  if (!result.reason.empty()) first += ": " + escape_controls(result.reason);
  lines.push_back(first);

  std::string counts;
  for (const Outcome outcome : {Outcome::already_exited, Outcome::graceful, Outcome::aborted,
                                Outcome::abort_failed, Outcome::late_report}) {
    const std::size_t count = result.report.count(outcome);
    if (count == 0) continue;
    counts += (counts.empty() ? "" : ", ") + std::to_string(count) + " " + sv::to_string(outcome);
  }
  lines.push_back("shutdown took " + sv::human(result.report.took) + ": " +
                  (counts.empty() ? "no children" : counts));

  for (const sv::ChildShutdownStatus& child : result.report.children) {
    if (child.outcome == Outcome::aborted) {
      lines.push_back(child.path + " did not stop in time and was ended by force after " +
                      sv::human(child.took));
    } else if (child.outcome == Outcome::abort_failed) {
      lines.push_back(child.path + " is an orphan: it could not be ended in " +
                      sv::human(child.took) + " and still runs");
    }
  }
  for (const sv::ReconcileCheck& check : result.report.reconcile.checks) {
    for (const std::string& found : check.found) {
      lines.push_back("left behind among the " + check.what + ": " + escape_controls(found) +
                      (check.note.empty() ? "" : " (" + check.note + ")"));
    }
  }
  return lines;
}

int exit_code_of(const sv::TreeResult& result) {
  if (result.kind == sv::TreeResult::Kind::failed) return exit_escalated;
  if (result.report.count(sv::ChildShutdownOutcome::abort_failed) > 0) return exit_abandoned;
  return result.kind == sv::TreeResult::Kind::start_failed ? exit_failed : exit_done;
}

}  // namespace espalier::cli
