#pragma once

#include "espalier/supervisor/config/internal/fields.hpp"
#include "espalier/supervisor/config/internal/node.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace espalier::supervisor::internal {

/// Where values of a map came from, by dotted name. Copied to whatever inherits the values.
using Sources = std::map<std::string, std::string>;

struct LoadContext {
  const Environment& environment;
  Problems& problems;
  Problems& warnings;
  std::vector<EffectiveField>& fields;

  void fail(const SourcePosition& position, const std::string& key, const std::string& message) {
    problems.push_back({position, key, message});
  }
};

/// Reads described fields out of one map of the document and files a problem for each that does not
/// fit. What the map leaves out keeps the value it has.
class Reader : public FieldVisitor {
 public:
  /// `node`: null when the map is absent. `path`: "children[2]". Both outlive the reader.
  Reader(LoadContext& context, const Node* node, std::string path, Sources& sources,
         std::string prefix = {});

  void value(const FieldInfo& info, const Value& value) override;
  void group(const FieldInfo& info, const std::string& shorthand, const Body& body) override;
  void optional(const FieldInfo& info, const std::string& shorthand, const Presence& presence,
                const Body& body) override;
  void rows(const FieldInfo& info, const Rows& rows) override;

  /// A key somebody else reads.
  void allow(const std::string& key) { known_.push_back(key); }
  /// Files a problem for each key that no field has claimed. `elsewhere` may know better why.
  using Elsewhere = std::function<std::string(const std::string& key)>;
  void finish(const Elsewhere& elsewhere = {}, const std::vector<std::string>& also_known = {});

 private:
  [[nodiscard]] const Entry* claim(const std::string& key);
  [[nodiscard]] std::string full(const std::string& key) const;
  bool read_entry(const Entry& entry, const std::string& key, const Value& value, bool in_ms);
  bool read_scalar(const Node& node, const std::string& key, const std::string& map_key,
                   const Value& value, bool in_ms);
  bool read_secret(const Node& node, const std::string& key, const std::string& map_key,
                   const Value& value);
  void refuse(const Node& node, const std::string& key, const Value& value);

  LoadContext& context_;
  const Node* node_;
  std::string path_;
  Sources& sources_;
  std::string prefix_;
  std::vector<std::string> known_ = {};
};

/// The value that `{secret: {env: NAME}}` or `{secret: {file: PATH}}` stands for. On a fault files
/// a problem, which never quotes the value.
struct Secret {
  SecretSource source = {};
  std::string value = {};
};
[[nodiscard]] std::optional<Secret> resolve_secret(LoadContext& context, const Node& node,
                                                   const std::string& key);

/// Replaces ${VAR} and ${VAR:-default}; $${ stands for ${. On a fault files a problem.
[[nodiscard]] std::optional<Text> substitute(LoadContext& context, const Node& node,
                                             const std::string& key);

}  // namespace espalier::supervisor::internal
