#include "espalier/supervisor/config/internal/tree_edit.hpp"

#include "espalier/supervisor/config/internal/sections.hpp"

#include <algorithm>
#include <cctype>

namespace espalier::supervisor::internal {

namespace {

constexpr const char* override_prefix = "ESPALIER__";

std::vector<std::string> split(const std::string& dotted) {
  std::vector<std::string> parts{""};
  for (const char c : dotted) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// A lone scalar in the place of a map with a restart limit is its max_restarts.
void make_map(Entry& entry) {
  auto& node = entry.value;
  if (node.kind == Node::Kind::map) return;
  Node map;
  map.kind = Node::Kind::map;
  map.position = node.position;
  const bool is_limit = entry.key == "restart_limit" || entry.key == "child_restart_limit";
  if (node.kind == Node::Kind::scalar && is_limit) {
    map.entries.push_back({"max_restarts", entry.position, node});
  } else if (node.kind == Node::Kind::scalar && entry.key == "heartbeat") {
    map.entries.push_back({"stale_after", entry.position, node});
  }
  node = std::move(map);
}

// The map that holds the last part of a dotted key, made where it is missing.
Node& parent_of(Node& root, const std::vector<std::string>& parts, const SourcePosition& position) {
  auto* at = &root;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (at->find(parts[i]) == nullptr) {
      Node map;
      map.kind = Node::Kind::map;
      map.position = position;
      at->entries.push_back({parts[i], position, std::move(map)});
    }
    auto* entry = at->find(parts[i]);
    make_map(*entry);
    at = &entry->value;
  }
  return *at;
}

std::optional<Entry> take(Node& root, const std::string& dotted) {
  const auto parts = split(dotted);
  auto* at = &root;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    auto* entry = at->find(parts[i]);
    if (entry == nullptr || entry->value.kind != Node::Kind::map) return std::nullopt;
    at = &entry->value;
  }
  auto& entries = at->entries;
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == parts.back(); });
  if (found == entries.end()) return std::nullopt;
  auto taken = std::move(*found);
  entries.erase(found);
  return taken;
}

std::string variable_name(const std::string& dotted) {
  std::string name = override_prefix;
  for (const char c : dotted) {
    if (c == '.') {
      name += "__";
    } else {
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

void apply_override(Node& root, const std::string& dotted, const std::string& variable,
                    const std::string& value) {
  const SourcePosition position{variable, 0, 0};
  const auto parts = split(dotted);
  auto& map = parent_of(root, parts, position);
  const auto& key = parts.back();
  const bool in_ms = key.size() > 3 && key.compare(key.size() - 3, 3, "_ms") == 0;
  const auto other = in_ms ? key.substr(0, key.size() - 3) : key + "_ms";
  std::erase_if(map.entries, [&](const Entry& entry) {
    return entry.key == key || (entry.key == other && entry.value.position.line != 0);
  });
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = value;
  node.literal = true;
  node.position = position;
  map.entries.push_back({key, position, std::move(node)});
}

}  // namespace

void move_spellings(Node& map, const std::vector<Spelling>& table, const std::string& path,
                    Problems& problems) {
  if (map.kind != Node::Kind::map) return;
  for (const auto& spelling : table) {
    auto taken = take(map, spelling.other);
    if (!taken) continue;
    const auto parts = split(spelling.key);
    auto& parent = parent_of(map, parts, taken->position);
    if (const auto* rival = parent.find(parts.back()); rival != nullptr) {
      problems.push_back({taken->position,
                          path.empty() ? spelling.other : path + "." + spelling.other,
                          "means the same as " + spelling.key + " at " +
                              to_string(rival->position) + "; keep one of the two"});
      continue;
    }
    taken->key = parts.back();
    parent.entries.push_back(std::move(*taken));
  }
}

void apply_overrides(Node& root, const LoadOptions& options, Problems& problems) {
  std::vector<std::string> known;
  for (const auto& dotted : setting_names()) {
    const auto name = variable_name(dotted);
    known.push_back(name);
    if (const auto value = options.environment(name)) apply_override(root, dotted, name, *value);
  }
  for (const auto& name : options.variable_names) {
    if (name.rfind(override_prefix, 0) != 0 || !options.environment(name)) continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = hint(name, known);
    problems.push_back({{name, 0, 0},
                        "",
                        "no setting has this name" +
                            (near.empty() ? "; settings are named as in "
                                            "ESPALIER__POLICY__BACKOFF__MAX, see the template"
                                          : near)});
  }
}

}  // namespace espalier::supervisor::internal
