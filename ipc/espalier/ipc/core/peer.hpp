#pragma once

#include <cstdint>
#include <vector>

namespace espalier::ipc {

/// Who is at the other end, as the kernel said when the connection was made.
struct Peer {
  std::int64_t pid = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups = {};  ///< Supplementary groups, where the kernel tells them.
};

}  // namespace espalier::ipc
