#include "espalier/ipc/wire/value_reader.hpp"

#include "espalier/ipc/wire/nearest.hpp"
#include "espalier/ipc/wire/timestamp.hpp"

#include <nlohmann/json.hpp>

namespace espalier::ipc::internal {
namespace {

// What stands there, for "expected text, not ...".
std::string description_of(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return json.get<bool>() ? "true" : "false";
    case Json::value_t::string:
      return "the text " + in_quotes(json.get_ref<const std::string&>());
    case Json::value_t::array:
      return "a list";
    case Json::value_t::object:
      return "an object";
    default:
      return "the number " + json.dump();
  }
}

}  // namespace

WireReader::Step WireReader::enter_field(std::string_view name) {
  const auto before = where_.size();
  if (!where_.empty()) where_ += '.';
  where_ += name.substr(0, 64);
  return Step{where_, before};
}

WireReader::Step WireReader::enter_element(std::size_t index) {
  const auto before = where_.size();
  where_ += '[';
  where_ += std::to_string(index);
  where_ += ']';
  return Step{where_, before};
}

bool WireReader::read(const Json& json, bool& x) {
  if (!json.is_boolean()) return expected_but("true or false", json);
  x = json.get<bool>();
  return true;
}

bool WireReader::read(const Json& json, double& x) {
  if (!json.is_number()) return expected_but("a number", json);
  x = json.get<double>();
  return true;
}

bool WireReader::read(const Json& json, std::string& x) {
  if (!json.is_string()) return expected_but("text", json);
  x = json.get_ref<const std::string&>();
  return true;
}

bool WireReader::read(const Json& json, Timestamp& x) {
  constexpr std::string_view due = "a time like 2026-01-31T12:03:07.001234Z";
  if (!json.is_string()) return expected_but(due, json);
  const auto time = parse_timestamp(json.get_ref<const std::string&>());
  if (!time) return expected_but(due, json);
  x = *time;
  return true;
}

bool WireReader::read(const Json& json, RawJson& x) {
  x.text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return true;
}

std::optional<std::int64_t> WireReader::integer(const Json& json, std::int64_t least,
                                                std::int64_t largest) {
  std::optional<std::int64_t> x;
  if (const auto* natural = json.get_ptr<const Json::number_unsigned_t*>()) {
    if (*natural <= static_cast<std::uint64_t>(last_integer)) {
      x = static_cast<std::int64_t>(*natural);
    }
  } else if (const auto* any = json.get_ptr<const Json::number_integer_t*>()) {
    x = *any;
  }
  if (x && *x >= least && *x <= largest) return x;
  expected_but("a whole number from " + std::to_string(least) + " to " + std::to_string(largest),
               json);
  return {};
}

std::optional<std::size_t> WireReader::word(const Json& json,
                                            std::span<const std::string_view> words) {
  const auto* text = json.get_ptr<const std::string*>();
  for (std::size_t i = 0; text && i < words.size(); ++i) {
    if (words[i] == *text) return i;
  }
  expected_but("one of " + list_of(words), json);
  return {};
}

bool WireReader::knows_all(const Json& object, std::span<const std::string_view> names) {
  if (!refuse_unknown_) return true;
  for (const auto& [key, value] : object.get_ref<const Json::object_t&>()) {
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    auto problem = "there is no field " + in_quotes(key) + did_you_mean(key, names);
    problem += names.empty() ? "; it takes none" : "; there are " + list_of(names);
    return fail(problem);
  }
  return true;
}

bool WireReader::fail(std::string_view what) {
  if (!problem_.empty()) return false;
  problem_ = where_;
  if (!problem_.empty()) problem_ += ": ";
  problem_ += what;
  return false;
}

bool WireReader::expected_but(std::string_view what, const Json& json) {
  return fail("expected " + std::string(what) + ", not " + description_of(json));
}

}  // namespace espalier::ipc::internal
