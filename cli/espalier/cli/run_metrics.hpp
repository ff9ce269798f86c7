#pragma once

#include "espalier/cli/fan.hpp"
#include "espalier/cli/run_log.hpp"
#include "espalier/cli/run_socket.hpp"
#include "espalier/ipc/core/service_figures.hpp"
#include "espalier/metrics/http_listener.hpp"
#include "espalier/metrics/tree_counters.hpp"
#include "espalier/pipeline/supervised/pipeline_board.hpp"
#include "espalier/supervisor/config/observability_spec.hpp"
#include "espalier/supervisor/observe/journal_file.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"
#include "espalier/supervisor/trace/trace_exporter.hpp"

#include <memory>

namespace espalier::cli {

/// The figures of one run and the listener that shows them; none where nobody asked for it.
///
/// A tree runs whether or not it can be watched: what stands in the way is told, and that is all.
class RunMetrics {
 public:
  /// `given`: a listening socket of the service manager, which asks for it as well.
  RunMetrics(const supervisor::MetricsSpec& spec, supervisor::UniqueFd given, Tell tell);
  ~RunMetrics();

  /// Before the tree is launched, so that nothing is missed.
  void count(Fan& fan, supervisor::SupervisorOptions& options) const;
  /// For the socket of the tree; null: nothing is to be counted.
  [[nodiscard]] std::shared_ptr<ipc::ServiceFigures> socket_figures() const { return socket_; }
  /// What stands beside the tree; all but the log may be null. The log outlives the listener.
  struct Beside {
    std::shared_ptr<supervisor::JournalFile> journal = {};
    std::shared_ptr<supervisor::TraceExporter> traces = {};
    std::shared_ptr<const pipeline::PipelineBoard> pipelines = {};
    const RunLog& log;
  };
  /// Once the tree is launched.
  void listen(const supervisor::SupervisorHandle& handle, Beside beside);
  void stop() { listener_.reset(); }

 private:
  supervisor::MetricsSpec spec_;
  supervisor::UniqueFd given_;
  Tell tell_;
  std::shared_ptr<metrics::TreeCounters> counters_ = {};
  std::shared_ptr<ipc::ServiceFigures> socket_ = {};
  std::unique_ptr<metrics::HttpListener> listener_ = {};
};

}  // namespace espalier::cli
