#pragma once

#include "espalier/ipc/wire/json.hpp"

#include <string_view>

namespace espalier::ipc::internal {

/// Adds to `schema`: where `field` is `word`, `rule` holds. Readers of a schema get one clear
/// error this way; of a `oneOf` they get one for each alternative.
void add_rule(Json& schema, std::string_view field, std::string_view word, Json rule);

/// {"$ref": "#/$defs/NAME"}
[[nodiscard]] Json ref_to(std::string_view name);

}  // namespace espalier::ipc::internal
