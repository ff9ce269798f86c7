#pragma once

#include "espalier/supervisor/config/internal/fields.hpp"

#include <string>

namespace espalier::supervisor::internal {

// What the schema and the template of a tree file are made with, for other kinds of files.

/// A JSON Schema (draft 2020-12) of files with the one key `top`, a map of the fields of `body`.
[[nodiscard]] std::string render_schema_of(const std::string& title, const FieldInfo& top,
                                           const FieldVisitor::Body& body);
/// YAML with every field below a comment that tells its meaning, range and default; each line
/// begun with `indent`.
[[nodiscard]] std::string render_commented(const std::string& indent,
                                           const FieldVisitor::Body& body);

}  // namespace espalier::supervisor::internal
