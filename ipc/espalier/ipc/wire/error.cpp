#include "espalier/ipc/wire/error.hpp"

namespace espalier::ipc {

const char* to_string(ErrorCode x) {
  switch (x) {
    case ErrorCode::invalid_json:
      return "invalid_json";
    case ErrorCode::invalid_request:
      return "invalid_request";
    case ErrorCode::line_too_long:
      return "line_too_long";
    case ErrorCode::unknown_method:
      return "unknown_method";
    case ErrorCode::invalid_params:
      return "invalid_params";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::replayed:
      return "replayed";
    case ErrorCode::replay_mismatch:
      return "replay_mismatch";
    case ErrorCode::rate_limited:
      return "rate_limited";
    case ErrorCode::too_many_connections:
      return "too_many_connections";
    case ErrorCode::too_slow:
      return "too_slow";
    case ErrorCode::idle:
      return "idle";
    case ErrorCode::not_confirmed:
      return "not_confirmed";
    case ErrorCode::stale_generation:
      return "stale_generation";
    case ErrorCode::audit_unavailable:
      return "audit_unavailable";
    case ErrorCode::command_not_allowed:
      return "command_not_allowed";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::wrong_kind:
      return "wrong_kind";
    case ErrorCode::wrong_state:
      return "wrong_state";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::invalid_spec:
      return "invalid_spec";
    case ErrorCode::limit_reached:
      return "limit_reached";
    case ErrorCode::superseded:
      return "superseded";
    case ErrorCode::start_failed:
      return "start_failed";
    case ErrorCode::shutting_down:
      return "shutting_down";
    case ErrorCode::gone:
      return "gone";
    case ErrorCode::internal:
      return "internal";
  }
  return "unknown";
}

const char* to_string(Stage x) {
  switch (x) {
    case Stage::connection:
      return "connection";
    case Stage::framing:
      return "framing";
    case Stage::parsing:
      return "parsing";
    case Stage::rate:
      return "rate";
    case Stage::replay:
      return "replay";
    case Stage::authorisation:
      return "authorisation";
    case Stage::parameters:
      return "parameters";
    case Stage::confirmation:
      return "confirmation";
    case Stage::allow_list:
      return "allow_list";
    case Stage::idempotency:
      return "idempotency";
    case Stage::fencing:
      return "fencing";
    case Stage::audit:
      return "audit";
    case Stage::execution:
      return "execution";
  }
  return "unknown";
}

}  // namespace espalier::ipc
