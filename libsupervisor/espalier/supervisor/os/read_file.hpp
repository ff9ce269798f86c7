#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <cstddef>
#include <string>

namespace espalier::supervisor {

/// The whole of a file, but at most `largest` bytes and one more (so that a caller sees by the size
/// that there was more); otherwise the errno of what failed. Never throws for a file's sake, as a
/// stream's buffer does: a file below /proc can fail in the middle, when its process has just been
/// reaped. Thread-safe; it blocks as long as the file does. "-" has no special meaning.
[[nodiscard]] expected<std::string, int> read_file(const std::string& path, std::size_t largest);

}  // namespace espalier::supervisor
