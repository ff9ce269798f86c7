#pragma once

#include "espalier/supervisor/config/tree_config.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>

namespace espalier::supervisor {

using Variables = std::map<std::string, std::string>;

inline LoadOptions options_with(const Variables& variables = {}, bool overrides = false) {
  LoadOptions options;
  options.environment = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  options.known_factories = {"builtin.idle", "builtin.ticker"};
  options.overrides_from_environment = overrides;
  options.variable_names.clear();
  for (const auto& [name, value] : variables)
    options.variable_names.push_back(name);
  return options;
}

/// The tree, or an empty one and a failed test.
inline TreeConfig load(const std::string& text, const LoadOptions& options = options_with()) {
  auto result = load_tree_text(text, "t.yaml", options);
  if (result) return *result;
  for (const auto& problem : result.error())
    ADD_FAILURE() << problem.to_string();
  return {};
}

/// All problems, one a line; "" when it loads.
inline std::string faults(const std::string& text, const LoadOptions& options = options_with()) {
  const auto result = load_tree_text(text, "t.yaml", options);
  if (result) return {};
  std::string all;
  for (const auto& problem : result.error())
    all += problem.to_string() + "\n";
  return all;
}

/// "key = value" of every field, without where it came from.
inline std::string values_of(const TreeConfig& config) {
  std::string all;
  for (const auto& field : config.fields)
    all += field.key + " = " + field.value + "\n";
  return all;
}

/// "value (source)" of one field.
inline std::string field_of(const TreeConfig& config, const std::string& key) {
  for (const auto& field : config.fields) {
    if (field.key == key) return field.value + " (" + field.source + ")";
  }
  return "none";
}

inline std::string read_file(const std::string& path) {
  std::ifstream input(path, std::ios::binary);
  std::ostringstream text;
  text << input.rdbuf();
  return text.str();
}

}  // namespace espalier::supervisor
