#pragma once

#include <string>

namespace espalier::ipc {

/// What docs/schema/ holds, made from the same descriptions as every line (JSON Schema, draft
/// 2020-12, with a newline at the end). Fields that are not described are not allowed there, though
/// readers pass over them: the schema is of this version.

/// Every message by its name in `$defs`, besides them `request`, `answer`, `push` and
/// `relay_request`; `x-methods` names params and result of every method.
[[nodiscard]] std::string render_ipc_schema();
/// Every event, by its `type`.
[[nodiscard]] std::string render_event_schema();

}  // namespace espalier::ipc
