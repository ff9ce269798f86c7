#pragma once

#include "espalier/cli/fan.hpp"
#include "espalier/cli/run_socket.hpp"
#include "espalier/supervisor/config/observability_spec.hpp"
#include "espalier/supervisor/observe/event_file.hpp"
#include "espalier/supervisor/observe/journal_file.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"
#include "espalier/supervisor/trace/trace_exporter.hpp"

#include <memory>
#include <optional>
#include <string>

namespace espalier::cli {

/// What is recorded of the events of one run beside its log: a file for `--events`, the journal on
/// disk, spans. Nothing of it stops a tree: what cannot be recorded is told.
class RunRecords {
 public:
  RunRecords(const supervisor::ObservabilitySpec& spec, std::string tree, Tell tell);

  /// Before all else. The sentence says why the file cannot be written.
  [[nodiscard]] std::optional<std::string> open_events(const std::string& file);
  /// Once there is a log to tell of it.
  void open();
  void add_to(Fan& fan) const;

  [[nodiscard]] const std::shared_ptr<supervisor::JournalFile>& journal() const { return journal_; }
  [[nodiscard]] const std::shared_ptr<supervisor::TraceExporter>& traces() const { return traces_; }
  /// From time to time: whoever follows events learns of a journal that cannot be written.
  void watch(const supervisor::SupervisorHandle& handle);

  /// False: not all events of the file could be written.
  [[nodiscard]] bool flush_events() const { return !events_ || events_->flush(); }
  /// Writes what waits. Once nothing else holds them, and while there is a log.
  void close();

 private:
  const supervisor::ObservabilitySpec spec_;
  const std::string tree_;
  const Tell tell_;
  std::shared_ptr<supervisor::EventFile> events_ = {};
  std::shared_ptr<supervisor::JournalFile> journal_ = {};
  std::shared_ptr<supervisor::TraceExporter> traces_ = {};
  bool journal_fails_ = false;
};

}  // namespace espalier::cli
