#pragma once

#include "espalier/cli/run_command.hpp"
#include "espalier/ipc/server/server.hpp"
#include "espalier/supervisor/config/tree_config.hpp"
#include "espalier/supervisor/core/event.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace espalier::cli {

using Tell = std::function<void(supervisor::Severity, const std::string&)>;

/// What `run` needs of a tree file again, once it runs: both forms of a reload ask here. Any
/// thread.
class TreeSource {
 public:
  /// `file`: "-" cannot be read again. `started`: what runs now.
  TreeSource(std::string file, const supervisor::TreeConfig& started, Tell tell);

  /// `text`, or the file again where it is empty; checked as at the start. Tells what is odd, and
  /// which settings hold from the next start only. The error: one problem a line.
  [[nodiscard]] expected<supervisor::SupervisorSpec, std::string> read_tree(
      const std::string& text) const;
  /// A child in JSON or YAML, with the fields of a tree file.
  [[nodiscard]] static expected<supervisor::ChildSpec, std::string> read_child(
      const std::string& text);

 private:
  void tell_what_stays(const supervisor::TreeConfig& read) const;

  std::string file_;
  supervisor::ObservabilitySpec observability_;
  supervisor::BackpressureSpec backpressure_;
  supervisor::DashboardSpec dashboard_;
  Tell tell_;
};

/// The socket that the file and the command line ask for together; nothing: none. `given`: the
/// service manager hands one over, which asks for it as well.
[[nodiscard]] std::optional<supervisor::DashboardSpec> wanted_socket(
    const supervisor::TreeConfig& config, const RunOptions& options, bool given);

/// `source` outlives what is made of the result.
[[nodiscard]] ipc::ServerOptions server_options(supervisor::DashboardSpec spec,
                                                const supervisor::TreeConfig& config,
                                                const TreeSource& source,
                                                std::shared_ptr<ipc::LogRing> logs, Tell tell);

/// The exit status of a program that has no socket because of this.
[[nodiscard]] int exit_code_of(const ipc::ServerError& error);

}  // namespace espalier::cli
