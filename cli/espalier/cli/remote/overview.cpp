#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/facts.hpp"
#include "espalier/cli/remote/look.hpp"
#include "espalier/cli/remote/session.hpp"
#include "espalier/cli/remote/status_view.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace espalier::cli {
namespace {

using ipc::Json;

constexpr std::uint64_t failures_shown = 5;
constexpr std::uint64_t lines_shown = 5;

// Of the events that only tell of something bad.
ipc::EventsQueryParams failures_of(const std::string& path) {
  ipc::EventsQueryParams params;
  params.filter = ipc::WireEventFilter{};
  if (path != "/") params.filter->path = path;
  params.filter->types = {{"child_exited", "child_start_failed", "child_failed",
                           "child_quarantined", "child_unhealthy", "fuse_tripped", "escalated"}};
  params.filter->min_severity = supervisor::Severity::warning;
  params.limit = failures_shown;
  return params;
}

struct StatusAnswers {
  StatusFacts facts = {};
  Json json = Json::object();
};

// Five questions on one connection; the first that fails ends it.
expected<StatusAnswers, Failure> ask_status(Session& session, const std::string& path) {
  StatusAnswers out;
  out.facts.hello = session.hello();
  out.json["hello"] = json_of(session.hello());
  auto state = session.state(path);
  if (!state) return unexpected<Failure>(state.error());
  auto health = session.ask<ipc::HealthResult>("health", ipc::Nothing{});
  if (!health) return unexpected<Failure>(health.error());
  auto events = session.ask<ipc::EventsPage>("events.query", failures_of(path));
  if (!events) return unexpected<Failure>(events.error());
  ipc::LogsTailParams tail;
  if (path != "/") tail.path = path;
  tail.lines = lines_shown;
  tail.level = supervisor::Severity::warning;  // What the children say is not to be crowded out.
  auto logs = session.ask<ipc::LogsTailResult>("logs.tail", tail);
  if (!logs) return unexpected<Failure>(logs.error());
  out.facts.snapshot = std::move(state->value.snapshot);
  out.facts.health = std::move(health->value);
  out.facts.failures = parsed(events->value.events);
  out.facts.lines = std::move(logs->value.lines);
  out.json["health"] = std::move(health->json);
  out.json["state"] = std::move(state->json);
  out.json["failures"] = std::move(events->json);
  out.json["logs"] = std::move(logs->json);
  return out;
}

// A note is worth knowing, and nothing to be called for.
bool is_well(const std::vector<Finding>& findings) {
  return std::ranges::all_of(findings,
                             [](const Finding& x) { return x.rank == Finding::Rank::note; });
}

}  // namespace

int status_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error().code, session.error().message);
  const auto answers = ask_status(*session, options.path());
  if (!answers) return fail(terminal, answers.error().code, answers.error().message);
  if (options.output == "text") {
    terminal.out << render_status(answers->facts, terminal);
  } else {
    terminal.out << (options.output == "json" ? safe_json_pretty(answers->json)
                                              : safe_json(answers->json))
                 << "\n";
  }
  return status_code(answers->facts);
}

int diagnose_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error().code, session.error().message);
  const auto facts = ask_facts(*session);
  if (!facts) return fail(terminal, facts.error().code, facts.error().message);
  const std::vector<Finding> findings = diagnose(*facts);
  if (options.output == "text") {
    terminal.out << render_findings(findings, terminal);
    return is_well(findings) ? exit_done : exit_unwell;
  }
  Json list = Json::array();
  for (const Finding& finding : findings) {
    if (options.output == "ndjson") terminal.out << safe_json(json_of(finding)) << "\n";
    list.push_back(json_of(finding));
  }
  if (options.output == "json") terminal.out << safe_json_pretty({{"findings", list}}) << "\n";
  return is_well(findings) ? exit_done : exit_unwell;
}

}  // namespace espalier::cli
