#include "espalier/cli/run_socket.hpp"

#include "espalier/cli/commands.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/host_check.hpp"
#include "espalier/supervisor/config/kept_children.hpp"

#include <utility>
#include <vector>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

std::string lines_of(const std::vector<sv::ConfigProblem>& problems) {
  std::string text;
  for (const sv::ConfigProblem& problem : problems)
    text += (text.empty() ? "" : "\n") + problem.to_string();
  return text;
}

}  // namespace

TreeSource::TreeSource(std::string file, const sv::TreeConfig& started, Tell tell)
    : file_(std::move(file)),
      observability_(started.observability),
      backpressure_(started.backpressure),
      dashboard_(started.dashboard),
      tell_(std::move(tell)) {}

expected<sv::SupervisorSpec, std::string> TreeSource::read_tree(const std::string& text) const {
  if (text.empty() && file_ == "-") {
    return unexpected<std::string>("the tree came from standard input, which cannot be read again");
  }
  auto config = text.empty() ? load_tree(file_) : sv::load_tree_text(text, "text", load_options());
  const auto problems = config ? check_host(*config) : config.error();
  if (!problems.empty()) return unexpected<std::string>(lines_of(problems));
  for (const sv::ConfigProblem& warning : config->warnings)
    tell_(sv::Severity::warning, warning.to_string());
  if (text.empty()) tell_what_stays(*config);
  return std::move(config->tree);
}

void TreeSource::tell_what_stays(const sv::TreeConfig& read) const {
  if (read.observability != observability_) {
    tell_(sv::Severity::warning, "reload: what observability says holds from the next start");
  }
  if (read.backpressure != backpressure_) {
    tell_(sv::Severity::warning, "reload: what backpressure says holds from the next start");
  }
  if (read.dashboard != dashboard_) {
    tell_(sv::Severity::warning, "reload: what dashboard says holds from the next start");
  }
}

expected<sv::ChildSpec, std::string> TreeSource::read_child(const std::string& text) {
  auto child = sv::load_child_text(text, "text", load_options());
  if (!child) return unexpected<std::string>(lines_of(child.error()));
  return std::move(*child);
}

std::optional<sv::DashboardSpec> wanted_socket(const sv::TreeConfig& config,
                                               const RunOptions& options, bool given) {
  const bool asked = config.dashboard.enabled || options.socket || given;
  if (options.no_socket || !asked) return std::nullopt;
  sv::DashboardSpec spec = config.dashboard;
  spec.enabled = true;
  if (options.socket && !options.socket->empty()) spec.path = *options.socket;
  return spec;
}

ipc::ServerOptions server_options(sv::DashboardSpec spec, const sv::TreeConfig& config,
                                  const TreeSource& source, std::shared_ptr<ipc::LogRing> logs,
                                  Tell tell) {
  ipc::ServerOptions options;
  options.spec = std::move(spec);
  options.target_id = config.tree.name;
  options.version = ESPALIER_VERSION;
  options.backpressure = config.backpressure;
  options.logs = std::move(logs);
  options.read_child = [](const std::string&, const std::string& text) {
    return TreeSource::read_child(text);
  };
  options.read_tree = [&source](const std::string& text) { return source.read_tree(text); };
  options.tell = std::move(tell);
  return options;
}

int exit_code_of(const ipc::ServerError& error) {
  using Kind = ipc::ServerError::Kind;
  if (error.kind == Kind::given) return exit_config_invalid;  // Of the units; no better next time.
  return error.kind == Kind::in_use ? exit_refused : exit_failed;
}

}  // namespace espalier::cli
