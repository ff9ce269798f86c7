#include "espalier/cli/remote/facts.hpp"

#include <utility>

namespace espalier::cli {
namespace {

constexpr std::uint64_t events_read = 1000;
constexpr std::uint64_t records_read = 1000;

std::vector<ipc::AuditRecord> audit_of(Session& session) {
  std::vector<ipc::AuditRecord> out;
  const auto page = session.ask<ipc::AuditPage>("audit.query", ipc::AuditQueryParams{records_read});
  if (!page) return out;
  for (const ipc::Json& json : parsed(page->value.records)) {
    if (auto record = ipc::decode<ipc::AuditRecord>(json, ipc::Unknown::ignore, "record"))
      out.push_back(std::move(*record));
  }
  return out;
}

}  // namespace

std::vector<ipc::Json> parsed(const std::vector<ipc::RawJson>& lines) {
  std::vector<ipc::Json> out;
  for (const ipc::RawJson& line : lines) {
    if (auto json = ipc::parse_json(line.text)) out.push_back(std::move(*json));
  }
  return out;
}

expected<DiagnoseFacts, Failure> ask_facts(Session& session) {
  auto state = session.state();
  if (!state) return unexpected<Failure>(state.error());
  ipc::EventsQueryParams query;
  query.limit = events_read;
  const auto events = session.ask<ipc::EventsPage>("events.query", query);
  if (!events) return unexpected<Failure>(events.error());
  // A target of an earlier version does not know the question.
  auto pipelines = session.ask<ipc::PipelinesResult>("pipelines", ipc::PipelinesParams{});
  return DiagnoseFacts{
      std::move(state->value.snapshot), parsed(events->value.events), audit_of(session),
      pipelines ? std::move(pipelines->value.pipelines) : std::vector<ipc::PipelineInfo>{}};
}

}  // namespace espalier::cli
