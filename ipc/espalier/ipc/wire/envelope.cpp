#include "espalier/ipc/wire/envelope.hpp"

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/nearest.hpp"
#include "espalier/supervisor/observe/json_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace espalier::ipc {
namespace {

constexpr std::array<std::string_view, 3> fields{"request_id", "method", "params"};

unexpected<WireError> refuse(std::string message) {
  return unexpected<WireError>({ErrorCode::invalid_request, Stage::parsing, std::move(message)});
}

bool read_id(const Json& json, Request& request) {
  if (const auto* text = json.get_ptr<const std::string*>()) {
    if (!is_id_text(*text)) return false;
    request.id = *text;
  } else {
    const auto* number = json.get_ptr<const Json::number_unsigned_t*>();
    if (!number || *number > static_cast<std::uint64_t>(internal::last_integer)) return false;
    request.id = std::to_string(*number);
  }
  request.id_json.clear();
  if (json.is_string()) {
    supervisor::json::append_json_string(request.id_json, request.id);
  } else {
    request.id_json = request.id;
  }
  return true;
}

}  // namespace

bool is_id_text(std::string_view text) {
  if (text.empty() || text.size() > max_id_bytes) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return false;
    // U+0080 to U+009F.
    const bool second = byte >= 0x80 && byte < 0xA0;
    if (second && i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xC2) return false;
  }
  return true;
}

expected<Request, WireError> read_request(Json&& json) {
  if (!json.is_object()) {
    return refuse(R"(a request is an object: {"request_id":"1","method":"ping","params":{}})");
  }
  for (const auto& [key, value] : json.items()) {
    if (std::find(fields.begin(), fields.end(), key) != fields.end()) continue;
    return refuse("a request has no field " + in_quotes(key) + did_you_mean(key, fields) +
                  "; it has " + list_of(fields));
  }
  Request request;
  const auto id = json.find("request_id");
  if (id == json.end() || !read_id(*id, request)) {
    return refuse(
        "request_id must be text of 1 to 128 bytes without control characters, or a whole number "
        "from 0 below 2^53, and another one in every request");
  }
  const auto method = json.find("method");
  if (method == json.end() || !method->is_string()) {
    return refuse(R"(method must be the name of a method, like "hello")");
  }
  request.method = method->get_ref<const std::string&>();
  if (const auto params = json.find("params"); params != json.end()) {
    if (!params->is_object()) return refuse("params must be an object, or be left out");
    request.params = std::move(*params);
  }
  return request;
}

std::string request_line(std::string_view id, std::string_view method,
                         std::string_view params_json) {
  std::string out = R"({"request_id":)";
  supervisor::json::append_json_string(out, id);
  out += R"(,"method":)";
  supervisor::json::append_json_string(out, method);
  out += R"(,"params":)";
  out += params_json;
  out += '}';
  return out;
}

std::string ok_line(std::string_view id_json, std::string_view result_json) {
  constexpr std::string_view before = R"({"request_id":)";
  constexpr std::string_view between = R"(,"ok":true,"result":)";
  std::string out;
  out.reserve(before.size() + id_json.size() + between.size() + result_json.size() +
              2);  // And a newline.
  out += before;
  out += id_json;
  out += between;
  out += result_json;
  out += '}';
  return out;
}

std::string error_line(std::string_view id_json, const WireError& error,
                       const std::string& target_id) {
  std::string out = R"({"request_id":)";
  out += id_json;
  out += R"(,"ok":false,"error":)";
  encode(out, body_of(error, target_id));
  out += '}';
  return out;
}

ErrorBody body_of(const WireError& error, const std::string& target_id) {
  ErrorBody body{error.code, error.stage, error.message, error.retryable, {}, error.retry_after_ms};
  if (!target_id.empty()) body.target_id = target_id;
  return body;
}

WireError error_of(const ErrorBody& body) {
  return {body.code, body.stage, body.message, body.retryable, body.retry_after_ms};
}

}  // namespace espalier::ipc
