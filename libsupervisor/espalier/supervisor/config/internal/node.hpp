#pragma once

#include "espalier/supervisor/config/tree_config.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor::internal {

struct Entry;

/// A piece of a YAML document with its position. Aliases are expanded, keys are plain text.
struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text = {};  ///< Of a scalar, as written.
  bool quoted = false;    ///< Quoted scalars are text and nothing else.
  bool literal = false;   ///< `${...}` stands for itself.
  SourcePosition position = {};
  std::vector<Node> items = {};
  std::vector<Entry> entries;  // no "= {}": clang 14 would need Entry complete here

  [[nodiscard]] const Entry* find(const std::string& key) const;
  [[nodiscard]] Entry* find(const std::string& key);
};

struct Entry {
  std::string key = {};
  SourcePosition position = {};
  Node value = {};
};

using Problems = std::vector<ConfigProblem>;

inline constexpr std::size_t node_budget = 100'000;
inline constexpr std::size_t depth_limit = 32;
inline constexpr std::size_t size_limit = 4U << 20U;  ///< Bytes of a file.

/// Parses one YAML document. Refused with their positions: duplicate keys, aliases inside their own
/// anchor, more than one document, keys that are no scalars, and documents past the limits above.
/// Null on a fault that leaves nothing to look at; duplicate keys do not.
[[nodiscard]] std::optional<Node> read_yaml(const std::string& text, const std::string& file_name,
                                            Problems& problems);

/// "tree.yaml:7:12", or the name alone for what has no lines.
[[nodiscard]] std::string to_string(const SourcePosition& position);

/// The candidate a typist most likely meant, or "" when none is near.
[[nodiscard]] std::string nearest(const std::string& word,
                                  const std::vector<std::string>& candidates);
/// "; did you mean x?", or "".
[[nodiscard]] std::string hint(const std::string& word, const std::vector<std::string>& candidates);
/// "a, b or c".
[[nodiscard]] std::string one_of(const std::vector<std::string>& words);

}  // namespace espalier::supervisor::internal
