#include "espalier/pipeline/declare/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace espalier::pipeline {

namespace {

int depth_of(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text && c == '\\') ++i;
    if (c == '"') in_text = !in_text;
    if (in_text) continue;
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if (c == ']' || c == '}') --depth;
  }
  return deepest;
}

}  // namespace

expected<Json, std::string> parse_json(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return unexpected<std::string>("it is empty");
  if (depth_of(text) > json_depth_limit) {
    return unexpected<std::string>("it is nested deeper than " + std::to_string(json_depth_limit) +
                                   " levels");
  }
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    return unexpected<std::string>("it is not JSON at column " + std::to_string(error.byte));
  } catch (const Json::exception& error) {
    return unexpected<std::string>(std::string("it cannot be read as JSON: ") + error.what());
  }
}

std::string to_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace espalier::pipeline
