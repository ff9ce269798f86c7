#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor::internal {

/// A scalar after substitution. Quoted ones are text and never a number or a truth value.
struct Text {
  std::string text = {};
  bool quoted = false;
};

/// One setting, bound to its place in a specification: how text gets in, how it comes out again,
/// and what to tell a person about it. Lists are parsed item by item, maps entry by entry.
struct Value {
  enum class Shape : std::uint8_t { scalar, list, map };
  Shape shape = Shape::scalar;
  std::string expected = {};            ///< "a duration above zero, such as 250ms, 5s, 2m or 1h"
  std::string schema = {};              ///< JSON Schema of the scalar, or of one item.
  std::vector<std::string> words = {};  ///< The allowed words, for hints.
  bool is_duration = false;             ///< Also spelled `<key>_ms` with a plain number.
  std::function<bool(const std::string& key, const Text& text)> parse = {};  ///< key: maps only.
  std::function<void()> clear = {};          ///< Lists and maps start anew where given.
  std::function<std::string()> render = {};  ///< As YAML; empty when there is no value.
  /// Of a map whose values may be `{secret: {env: NAME}}`: takes one with the value it stands for.
  std::function<bool(const std::string& key, const std::string& text, const SecretSource& source)>
      parse_secret = {};
  std::function<bool()> hides = {};  ///< Whether `render` left a secret out.
};

enum class Zero : std::uint8_t { refused, allowed };

[[nodiscard]] Value duration_value(Duration& target, Zero zero);
[[nodiscard]] Value flag_value(bool& target);
[[nodiscard]] Value text_value(std::string& target);
[[nodiscard]] Value name_value(std::string& target);
[[nodiscard]] Value count_value(std::optional<std::uint64_t>& target, bool bytes);
[[nodiscard]] Value umask_value(std::optional<std::uint32_t>& target);
[[nodiscard]] Value signal_value(int& target);
[[nodiscard]] Value stop_value(StopPolicy& target);
[[nodiscard]] Value max_restarts_value(std::optional<RestartLimit>& target);
[[nodiscard]] Value window_value(std::optional<RestartLimit>& target);
[[nodiscard]] Value text_list_value(std::vector<std::string>& target);
[[nodiscard]] Value code_list_value(std::vector<int>& target);
[[nodiscard]] Value text_map_value(std::map<std::string, std::string>& target);
/// Secrets are rendered as where they come from.
[[nodiscard]] Value environment_value(ProcessSpec& target);
[[nodiscard]] Value decimal_value(double& target, double min, double max,
                                  Zero zero = Zero::refused);
[[nodiscard]] Value categories_value(FailureCategory& target);
/// Of a probe: all but the path also choose its kind. Empty for any other kind.
[[nodiscard]] Value probe_command_value(ProbeSpec& target);
[[nodiscard]] Value probe_function_value(ProbeSpec& target);
[[nodiscard]] Value probe_path_value(ProbeSpec& target);
[[nodiscard]] Value probe_address_value(ProbeSpec& target, ProbeSpec::Kind kind);
[[nodiscard]] Value gate_value(StartGate& target, StartGate::Kind kind);

/// YAML 1.2 core: decimal, 0o octal, 0x hexadecimal; nothing outside [min, max].
[[nodiscard]] std::optional<std::int64_t> parse_integer(const Text& text, std::int64_t min,
                                                        std::int64_t max);
[[nodiscard]] std::optional<Duration> parse_duration(const std::string& text);
[[nodiscard]] std::string render_duration(Duration value);
/// "a\"b", valid as JSON and as YAML.
[[nodiscard]] std::string quote(const std::string& text);
/// Text as a YAML scalar that the loader reads back unchanged.
[[nodiscard]] std::string render_text(const std::string& text);
/// "OneForOne" and "one_for_one" become "one_for_one".
[[nodiscard]] std::string snake_case(const std::string& word);
[[nodiscard]] std::string camel_case(const std::string& word);
[[nodiscard]] std::string words_schema(const std::vector<std::string>& words);
[[nodiscard]] std::string range_schema(std::int64_t min, std::int64_t max);
[[nodiscard]] std::string range_text(std::int64_t min, std::int64_t max);
/// The sentence "expected one of those words".
[[nodiscard]] std::string words_text(const std::vector<std::string>& words);

template <class T>
[[nodiscard]] Value number_value(T& target, std::int64_t min, std::int64_t max) {
  Value value;
  value.expected = range_text(min, max);
  value.schema = range_schema(min, max);
  value.parse = [&target, min, max](const std::string&, const Text& text) {
    const auto number = parse_integer(text, min, max);
    if (number) target = static_cast<T>(*number);
    return number.has_value();
  };
  value.render = [&target] { return std::to_string(target); };
  return value;
}

template <class T>
[[nodiscard]] Value number_value(std::optional<T>& target, std::int64_t min, std::int64_t max) {
  Value value;
  value.expected = range_text(min, max);
  value.schema = range_schema(min, max);
  value.parse = [&target, min, max](const std::string&, const Text& text) {
    const auto number = parse_integer(text, min, max);
    if (number) target = static_cast<T>(*number);
    return number.has_value();
  };
  value.render = [&target] { return target ? std::to_string(*target) : std::string(); };
  return value;
}

template <class T>
using Words = std::vector<std::pair<T, std::string>>;

template <class T>
[[nodiscard]] Value word_value(T& target, const Words<T>& words) {
  Value value;
  for (const auto& word : words)
    value.words.push_back(word.second);
  value.expected = words_text(value.words);
  value.schema = words_schema(value.words);
  value.parse = [&target, words](const std::string&, const Text& text) {
    const auto found = std::find_if(words.begin(), words.end(), [&](const auto& word) {
      return word.second == text.text || word.second == snake_case(text.text);
    });
    if (found == words.end()) return false;
    target = found->first;
    return true;
  };
  value.render = [&target, words] {
    const auto found = std::find_if(words.begin(), words.end(),
                                    [&](const auto& word) { return word.first == target; });
    return found == words.end() ? std::string() : found->second;
  };
  return value;
}

/// A word that may be left out.
template <class T>
[[nodiscard]] Value word_value(std::optional<T>& target, const Words<T>& words) {
  T unbound = {};
  auto value = word_value(unbound, words);
  value.parse = [&target, words](const std::string& key, const Text& text) {
    T word = {};
    if (!word_value(word, words).parse(key, text)) return false;
    target = word;
    return true;
  };
  value.render = [&target, words] {
    if (!target) return std::string();
    auto word = *target;
    return word_value(word, words).render();
  };
  return value;
}

}  // namespace espalier::supervisor::internal
