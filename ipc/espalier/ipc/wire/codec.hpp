#pragma once

#include "espalier/ipc/wire/describe.hpp"
#include "espalier/ipc/wire/json.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <string>

namespace espalier::ipc {

/// Appends `message` as a JSON object on one line, fields in the order of their description,
/// absent optionals left out. Valid UTF-8 whatever the strings hold.
template <Message T>
void encode(std::string& out, const T& message);

/// Reads a message. Unknown fields are refused in requests (`Unknown::refuse`), with the nearest
/// known name, and ignored by readers of answers (`Unknown::ignore`). The error is one sentence
/// that names the field: "params.path: expected text, not a number".
template <Message T>
[[nodiscard]] expected<T, std::string> decode(const Json& json, Unknown unknown,
                                              std::string_view where = "params");

/// The JSON Schema (draft 2020-12) of a message, as an object; `title` becomes its title.
template <Message T>
[[nodiscard]] Json schema_of(std::string_view title);

}  // namespace espalier::ipc

#include "espalier/ipc/wire/decoder.hpp"
#include "espalier/ipc/wire/encoder.hpp"
#include "espalier/ipc/wire/schema_writer.hpp"
