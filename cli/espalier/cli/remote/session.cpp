#include "espalier/cli/remote/session.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/params.hpp"
#include "espalier/ipc/client/find_target.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>

namespace espalier::cli {

int exit_code_of(ipc::ErrorCode code) {
  using ipc::ErrorCode;
  switch (code) {
    case ErrorCode::forbidden:
    case ErrorCode::command_not_allowed:
    case ErrorCode::not_found:
      return exit_denied;
    case ErrorCode::invalid_params:
    case ErrorCode::not_confirmed:
      return exit_usage;
    case ErrorCode::invalid_spec:
      return exit_config_invalid;
    case ErrorCode::gone:
      return exit_not_running;
    case ErrorCode::replayed:
    case ErrorCode::replay_mismatch:
    case ErrorCode::rate_limited:
    case ErrorCode::too_many_connections:
    case ErrorCode::stale_generation:
    case ErrorCode::audit_unavailable:
    case ErrorCode::wrong_kind:
    case ErrorCode::wrong_state:
    case ErrorCode::conflict:
    case ErrorCode::limit_reached:
    case ErrorCode::superseded:
    case ErrorCode::shutting_down:
    case ErrorCode::line_too_long:
      return exit_refused;
    case ErrorCode::invalid_json:
    case ErrorCode::invalid_request:
    case ErrorCode::unknown_method:
    case ErrorCode::too_slow:
    case ErrorCode::idle:
    case ErrorCode::start_failed:
    case ErrorCode::internal:
      return exit_failed;
  }
  return exit_failed;
}

int exit_code_of(const ipc::ClientError& error) {
  using Kind = ipc::ClientError::Kind;
  if (error.refusal) return exit_code_of(error.refusal->code);
  switch (error.kind) {
    case Kind::not_running:
    case Kind::closed:
    case Kind::timed_out:
      return exit_not_running;
    case Kind::no_permission:
      return exit_denied;
    case Kind::protocol:
    case Kind::refused:
      return exit_failed;
  }
  return exit_failed;
}

Failure failure_of(const ipc::ClientError& error) {
  Failure failure{exit_code_of(error), error.message, {}};
  if (error.refusal && error.refusal->code == ipc::ErrorCode::rate_limited)
    failure.retry_after_ms = error.refusal->retry_after_ms.value_or(100);
  if (failure.message.empty() && error.refusal) failure.message = error.refusal->message;
  return failure;
}

int exit_code_of(const ipc::CommandAnswer& answer) {
  switch (answer.status) {
    case ipc::CommandStatus::completed:
    case ipc::CommandStatus::accepted:
      return exit_done;
    case ipc::CommandStatus::timed_out:
      return exit_timed_out;
    case ipc::CommandStatus::rejected:
      return answer.error ? exit_code_of(answer.error->code) : exit_failed;
  }
  return exit_failed;
}

expected<supervisor::Duration, Failure> timeout_of(const RemoteOptions& options,
                                                   const std::string& fallback) {
  const std::string& text = options.timeout.empty() ? fallback : options.timeout;
  if (text == "0") return supervisor::Duration::zero();
  if (const auto duration = parse_duration(text)) return *duration;
  return unexpected<Failure>(Failure{
      exit_usage, "--timeout: '" + text + "' is no duration; write for example 500ms, 10s or 2m"});
}

expected<std::string, Failure> socket_of(const RemoteOptions& options) {
  if (!options.socket.empty()) return options.socket;
  if (options.target.empty()) {
    const char* const named = std::getenv("ESPALIER_SOCKET");
    if (named != nullptr && *named != '\0') return std::string(named);
  }
  auto found = ipc::find_target(options.target, ipc::runtime_folders());
  if (!found) return unexpected<Failure>(Failure{exit_not_running, found.error(), {}});
  return *found;
}

expected<Session, Failure> Session::open(const RemoteOptions& options, const std::string& timeout) {
  const auto limit = timeout_of(options, timeout);
  if (!limit) return unexpected<Failure>(limit.error());
  auto socket = socket_of(options);
  if (!socket) return unexpected<Failure>(socket.error());
  // With --timeout 0 a command is only handed over; that too takes a moment.
  ipc::ClientOptions client_options;
  client_options.path = *socket;
  client_options.client = std::string("espalier ") + ESPALIER_VERSION;
  if (*limit > supervisor::Duration::zero()) client_options.timeout = *limit;
  auto client = ipc::Client::connect(client_options);
  if (!client) return unexpected<Failure>(failure_of(client.error()));
  return Session(std::move(*client), std::move(client_options));
}

expected<Reply<ipc::StateResult>, Failure> Session::state(const std::string& path,
                                                          std::optional<std::uint64_t> depth,
                                                          bool resources) {
  ipc::StateParams params;
  params.path = path;
  params.depth = depth;
  if (resources) params.include = {{"resources"}};
  return ask<ipc::StateResult>("state", params);
}

}  // namespace espalier::cli
