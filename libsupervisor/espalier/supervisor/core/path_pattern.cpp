#include "espalier/supervisor/core/path_pattern.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace espalier::supervisor {

bool is_pattern(std::string_view path) {
  return path.find_first_of("*?") != std::string_view::npos;
}

// Row by row over the pattern: reached[i] says that the pattern so far fits path[0, i).
bool fits_pattern(std::string_view pattern, std::string_view path) {
  std::vector<bool> reached(path.size() + 1, false);
  reached[0] = true;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    std::vector<bool> next(path.size() + 1, false);
    const bool star = pattern[p] == '*';
    const bool stars = star && p + 1 < pattern.size() && pattern[p + 1] == '*';
    for (std::size_t i = 0; i <= path.size(); ++i) {
      if (star) {
        const bool grows = i > 0 && next[i - 1] && (stars || path[i - 1] != '/');
        next[i] = reached[i] || grows;
      } else if (i > 0 && reached[i - 1]) {
        next[i] = pattern[p] == '?' ? path[i - 1] != '/' : path[i - 1] == pattern[p];
      }
    }
    if (stars) ++p;
    reached = std::move(next);
  }
  return reached[path.size()];
}

}  // namespace espalier::supervisor
