#include "espalier/cli/run_records.hpp"

#include <unistd.h>

#include <array>
#include <utility>

namespace espalier::cli {

namespace sv = espalier::supervisor;

namespace {

/// Tells the runs of one tree apart, on this machine and on others.
std::string instance_name() {
  std::array<char, 256> host = {};
  const bool known = gethostname(host.data(), host.size() - 1) == 0;
  return std::to_string(::getpid()) + "@" + (known ? host.data() : "unknown");
}

}  // namespace

RunRecords::RunRecords(const sv::ObservabilitySpec& spec, std::string tree, Tell tell)
    : spec_(spec), tree_(std::move(tree)), tell_(std::move(tell)) {}

std::optional<std::string> RunRecords::open_events(const std::string& file) {
  if (file.empty()) return std::nullopt;
  auto opened = sv::EventFile::open(file);
  if (!opened) return "cannot write events: " + opened.error();
  events_ = std::move(*opened);
  return std::nullopt;
}

void RunRecords::open() {
  if (!spec_.journal.folder.empty()) {
    if (auto started = sv::JournalFile::start(spec_.journal, tell_)) {
      journal_ = std::move(*started);
    } else {
      tell_(sv::Severity::error, "no journal: " + started.error());
    }
  }
  if (spec_.traces.file.empty() && spec_.traces.endpoint.empty()) return;
  const sv::TraceSource source{tree_, instance_name(), ESPALIER_VERSION, ::getpid()};
  if (auto started = sv::TraceExporter::start(spec_.traces, source, tell_)) {
    traces_ = std::move(*started);
  } else {
    tell_(sv::Severity::error, "no traces: " + started.error());
  }
}

void RunRecords::add_to(Fan& fan) const {
  if (events_) fan.add(events_);
  if (journal_) fan.add(journal_);
  if (traces_) fan.add(traces_);
}

void RunRecords::watch(const sv::SupervisorHandle& handle) {
  const bool fails = journal_ && journal_->stats().failing;
  if (fails && !journal_fails_) {
    handle.report(sv::events::JournalError{"\"" + spec_.journal.folder +
                                           "\" cannot be written; the log says why"});
  }
  journal_fails_ = fails;
}

void RunRecords::close() {
  traces_.reset();
  journal_.reset();
}

}  // namespace espalier::cli
