#include "espalier/cli/remote/glob.hpp"

#include <algorithm>

namespace espalier::cli {
namespace {

bool is_below(const std::string& path, const std::string& above) {
  return path.size() > above.size() && path.starts_with(above) && path[above.size()] == '/';
}

}  // namespace

bool is_glob(std::string_view path) {
  return path.find_first_of("*?") != std::string_view::npos;
}

// Row by row over the pattern: reached[i] says that the pattern so far fits path[0, i). Patterns
// come from a command line, paths are short, so a table is quick enough and never explodes.
bool glob_matches(std::string_view pattern, std::string_view path) {
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

std::vector<std::string> select_paths(const std::vector<ipc::NodeInfo>& nodes,
                                      const std::vector<std::string>& patterns, bool whole) {
  std::vector<std::string> out;
  for (const ipc::NodeInfo& node : nodes) {
    if (node.path == "/") continue;
    const bool wanted = std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
      return is_glob(pattern) ? glob_matches(pattern, node.path) : pattern == node.path;
    });
    if (!wanted) continue;
    const bool covered = whole && std::any_of(out.begin(), out.end(), [&](const auto& above) {
                           return is_below(node.path, above);
                         });
    if (!covered) out.push_back(node.path);
  }
  return out;
}

}  // namespace espalier::cli
