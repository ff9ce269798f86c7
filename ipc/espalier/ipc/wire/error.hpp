#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace espalier::ipc {

/// Why a request was refused or failed. The words are the contract; see docs/ipc.md.
enum class ErrorCode : std::uint8_t {
  invalid_json,     ///< The line is no JSON object.
  invalid_request,  ///< An object, but no request.
  line_too_long,    ///< The connection is closed after this one.
  unknown_method,
  invalid_params,
  forbidden,
  replayed,         ///< This request_id was used on this connection a moment ago.
  replay_mismatch,  ///< This command_id belongs to another command.
  rate_limited,
  too_many_connections,
  too_slow,  ///< Too much waited for this reader; the connection is closed after this one.
  idle,      ///< Closed for silence.
  not_confirmed,
  stale_generation,
  audit_unavailable,
  command_not_allowed,  ///< The program is not on the allow list.
  not_found,
  wrong_kind,
  wrong_state,
  conflict,  ///< A name that is taken, a dependency in the way.
  invalid_spec,
  limit_reached,
  superseded,
  start_failed,
  shutting_down,
  gone,
  internal,
};

/// Where on its way a request was stopped: the control or the step that refused it.
enum class Stage : std::uint8_t {
  connection,
  framing,
  parsing,
  rate,
  replay,
  authorisation,
  parameters,
  confirmation,
  allow_list,
  idempotency,
  fencing,
  audit,
  execution,
};

struct WireError {
  ErrorCode code = ErrorCode::internal;
  Stage stage = Stage::execution;
  std::string message = {};  ///< What, where, and what to do next.
  bool retryable = false;    ///< The same request may succeed later.
  std::optional<std::uint64_t> retry_after_ms = {};
};

[[nodiscard]] const char* to_string(ErrorCode x);
[[nodiscard]] const char* to_string(Stage x);

}  // namespace espalier::ipc
