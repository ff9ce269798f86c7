#pragma once

#include "espalier/ipc/wire/snapshot.hpp"

#include <cstdint>
#include <optional>

namespace espalier::ipc {

/// What a process uses now, as /proc tells; nothing: it is gone. Thread-safe. Cost: two small reads
/// and, on kernels before 6.2, a listing of its descriptors.
[[nodiscard]] std::optional<ResourceInfo> read_resources(std::int64_t pid);

}  // namespace espalier::ipc
