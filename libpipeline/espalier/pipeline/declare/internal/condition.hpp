#pragma once

#include "espalier/pipeline/declare/pipeline_spec.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline::internal {

/// A place in an item, as ConditionSpec::field writes it.
class FieldPath {
 public:
  [[nodiscard]] static std::optional<FieldPath> parse(const std::string& text);
  /// Null: the item has no such field.
  [[nodiscard]] const Json* in(const Json& item) const;

 private:
  Json::json_pointer pointer_ = Json::json_pointer();
};

/// A ConditionSpec ready to be asked, on any thread.
class Condition {
 public:
  /// Precondition: the field of `spec` can be parsed.
  explicit Condition(const ConditionSpec& spec);
  [[nodiscard]] bool holds_for(const Json& item) const;

 private:
  [[nodiscard]] bool compare(const Json& value) const;

  FieldPath field_;
  std::vector<Json> one_of_ = {};
  std::optional<double> above_;
  std::optional<double> below_;
  bool negate_;
};

}  // namespace espalier::pipeline::internal
