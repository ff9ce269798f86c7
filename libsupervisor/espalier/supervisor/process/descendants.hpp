#pragma once

#include "espalier/supervisor/process/process_host.hpp"

#include <sys/types.h>

#include <string>
#include <unordered_set>
#include <vector>

namespace espalier::supervisor {

struct DescendantQuery {
  /// Leaders (and groups) of running processes: they and what is below them is passed over.
  const std::unordered_set<pid_t>& running;
  /// Not empty: only processes that carry this ESPALIER_HOST_ID.
  std::string host_id = {};
};

/// Living processes below this one in /proc, as the query wants them. One scan, a snapshot.
[[nodiscard]] std::vector<LeftoverProcess> find_descendants(const DescendantQuery& query);

}  // namespace espalier::supervisor
