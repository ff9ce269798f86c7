#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace espalier::supervisor {

/// Files that must not be half written. Errors are sentences with the path and the cause.

/// The text of a file; "" where there is none.
[[nodiscard]] expected<std::string, std::string> read_whole(const std::string& path,
                                                            std::size_t largest);
/// Replaces a file, or leaves it as it was: after this it is on the disk under its name. Only its
/// owner may read it.
[[nodiscard]] std::optional<std::string> replace_file(const std::string& path,
                                                      const std::string& text);
/// Adds to the end of a file, and to the disk.
[[nodiscard]] std::optional<std::string> append_to_file(const std::string& path,
                                                        const std::string& text);
/// Moves it to `path`.bad, or .bad.2 and so on where that is taken. The answer is the new path.
[[nodiscard]] expected<std::string, std::string> put_aside(const std::string& path);

}  // namespace espalier::supervisor
