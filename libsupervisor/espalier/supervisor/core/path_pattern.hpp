#pragma once

#include <string_view>

namespace espalier::supervisor {

/// True where `path` is a pattern: it holds `*` or `?`, which no name may.
[[nodiscard]] bool is_pattern(std::string_view path);

/// Whether all of `path` fits: `*` and `?` stay within a name, `**` crosses names. Cost: the
/// product of the two lengths at worst, whatever the pattern.
[[nodiscard]] bool fits_pattern(std::string_view pattern, std::string_view path);

}  // namespace espalier::supervisor
