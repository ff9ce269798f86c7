#include "espalier/pipeline/declare/internal/condition.hpp"

#include "espalier/pipeline/declare/json_text.hpp"

#include <algorithm>

namespace espalier::pipeline::internal {

std::optional<FieldPath> FieldPath::parse(const std::string& text) {
  FieldPath path;
  if (text == ".") return path;
  if (text.empty()) return std::nullopt;
  if (text.front() == '/') {
    try {
      path.pointer_ = Json::json_pointer(text);
    } catch (const Json::exception&) {
      return std::nullopt;
    }
    return path;
  }
  for (std::size_t from = 0; from <= text.size();) {
    const auto end = std::min(text.find('.', from), text.size());
    if (end == from) return std::nullopt;
    path.pointer_ /= text.substr(from, end - from);
    from = end + 1;
  }
  return path;
}

const Json* FieldPath::in(const Json& item) const {
  return item.contains(pointer_) ? &item.at(pointer_) : nullptr;
}

Condition::Condition(const ConditionSpec& spec)
    : field_(FieldPath::parse(spec.field).value()),
      above_(spec.above),
      below_(spec.below),
      negate_(spec.negate) {
  for (const auto& each : spec.one_of)
    one_of_.push_back(Json::parse(each));
}

bool Condition::holds_for(const Json& item) const {
  const auto* value = field_.in(item);
  return (value != nullptr && compare(*value)) != negate_;
}

bool Condition::compare(const Json& value) const {
  if (!one_of_.empty() && std::find(one_of_.begin(), one_of_.end(), value) == one_of_.end())
    return false;
  if (!above_ && !below_) return true;
  if (!value.is_number()) return false;
  const auto number = value.get<double>();
  return (!above_ || number > *above_) && (!below_ || number < *below_);
}

}  // namespace espalier::pipeline::internal

namespace espalier::pipeline {

const Json* field_in(const Json& item, const std::string& field) {
  const auto path = internal::FieldPath::parse(field);
  return path ? path->in(item) : nullptr;
}

}  // namespace espalier::pipeline
