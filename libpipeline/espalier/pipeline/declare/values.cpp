#include "espalier/pipeline/declare/internal/values.hpp"

#include "espalier/pipeline/declare/internal/condition.hpp"
#include "espalier/pipeline/declare/json_text.hpp"

#include <nlohmann/json.hpp>

#include <limits>

namespace espalier::pipeline::internal {

using supervisor::internal::Text;

namespace {

std::string as_json(const Text& text) {
  if (!text.quoted) {
    const auto plain = Json::parse(text.text, nullptr, false);
    if (plain.is_number() || plain.is_boolean()) return plain.dump();
  }
  return to_line(text.text);
}

}  // namespace

Value field_value(std::string& target) {
  auto value = supervisor::internal::text_value(target);
  value.expected = "a field such as size, user.name or /user/name, or \".\" for the whole item";
  value.schema = R"({"type": "string", "minLength": 1})";
  value.parse = [&target](const std::string&, const Text& text) {
    target = text.text;
    return FieldPath::parse(target).has_value();
  };
  return value;
}

Value equals_value(std::vector<std::string>& target) {
  Value value;
  value.expected = "a number, true, false or text";
  value.schema = R"({"type": ["string", "number", "boolean"]})";
  value.parse = [&target](const std::string&, const Text& text) {
    target = {as_json(text)};
    return true;
  };
  value.render = [] { return std::string(); };
  return value;
}

Value one_of_value(std::vector<std::string>& target) {
  auto value = equals_value(target);
  value.shape = Value::Shape::list;
  value.clear = [&target] { target.clear(); };
  value.parse = [&target](const std::string&, const Text& text) {
    target.push_back(as_json(text));
    return true;
  };
  return value;
}

Value bound_value(std::optional<double>& target) {
  constexpr auto most = std::numeric_limits<double>::max();
  Value value;
  value.expected = "a number";
  value.schema = R"({"type": "number"})";
  value.parse = [&target](const std::string&, const Text& text) {
    double number = 0;
    auto decimal = supervisor::internal::decimal_value(number, -most, most,
                                                       supervisor::internal::Zero::allowed);
    if (!decimal.parse({}, text)) return false;
    target = number;
    return true;
  };
  value.render = [] { return std::string(); };
  return value;
}

Value size_value(std::size_t& target) {
  std::optional<std::uint64_t> unbound;
  auto value = supervisor::internal::count_value(unbound, true);
  value.parse = [&target](const std::string& key, const Text& text) {
    std::optional<std::uint64_t> number;
    if (!supervisor::internal::count_value(number, true).parse(key, text)) return false;
    target = static_cast<std::size_t>(*number);
    return true;
  };
  value.render = [&target] { return std::to_string(target); };
  return value;
}

}  // namespace espalier::pipeline::internal
