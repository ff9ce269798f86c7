#pragma once

#include "espalier/ipc/wire/json.hpp"

#include <string>

namespace espalier::cli {

/// A text without what looks like a secret in it: the value after a word such as password, token,
/// secret or api_key and a = or a :, the user and password of a URL, what follows Bearer or Basic.
/// Each becomes ***. A guess by form: it cannot know a secret that stands alone.
[[nodiscard]] std::string redact(const std::string& text);

/// The same in every string below `json`; the text of a key of such a name goes as a whole, and so
/// does what follows an option of such a name in a list.
void redact_all(ipc::Json& json);

}  // namespace espalier::cli
