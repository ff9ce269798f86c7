#include "espalier/cli/remote/select_paths.hpp"

#include "espalier/supervisor/core/path_pattern.hpp"

#include <algorithm>

namespace espalier::cli {
namespace {

bool is_below(const std::string& path, const std::string& above) {
  return path.size() > above.size() && path.starts_with(above) && path[above.size()] == '/';
}

}  // namespace

std::vector<std::string> select_paths(const std::vector<ipc::NodeInfo>& nodes,
                                      const std::vector<std::string>& patterns, bool whole) {
  std::vector<std::string> out;
  for (const ipc::NodeInfo& node : nodes) {
    if (node.path == "/") continue;
    const bool wanted = std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
      return supervisor::is_pattern(pattern) ? supervisor::fits_pattern(pattern, node.path)
                                             : pattern == node.path;
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
