#pragma once

#include "espalier/ipc/wire/error.hpp"
#include "espalier/ipc/wire/json.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace espalier::ipc {

/// What stands around every request and answer. Lines are made without their newline.

struct Request {
  std::string id_json = "null";  ///< As it is echoed: JSON text.
  std::string id = {};           ///< As plain text: 7 and "7" are the same id.
  std::string method = {};       ///< Any text; see `find_method`.
  Json params = Json::object();  ///< Always an object.
};

/// Text of 1 to 128 bytes without control characters, or a whole number from 0 below 2^53.
inline constexpr std::size_t max_id_bytes = 128;
[[nodiscard]] bool is_id_text(std::string_view text);

/// Reads the envelope: request_id, method, params (left out: {}), and nothing else. The error is
/// `invalid_request` at stage parsing, and leaves `json` as it was.
[[nodiscard]] expected<Request, WireError> read_request(Json&& json);

/// {"request_id":...,"method":...,"params":...}; `params_json` is an object.
[[nodiscard]] std::string request_line(std::string_view id, std::string_view method,
                                       std::string_view params_json);

/// {"request_id":...,"ok":true,"result":...}; `id_json` as in Request, `result_json` an object.
[[nodiscard]] std::string ok_line(std::string_view id_json, std::string_view result_json);
/// {"request_id":...,"ok":false,"error":{...}}; `id_json` "null" where there is none.
[[nodiscard]] std::string error_line(std::string_view id_json, const WireError& error,
                                     const std::string& target_id);
[[nodiscard]] ErrorBody body_of(const WireError& error, const std::string& target_id);
[[nodiscard]] WireError error_of(const ErrorBody& body);

}  // namespace espalier::ipc
