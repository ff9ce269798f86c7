#pragma once

#include "espalier/supervisor/process/process_host.hpp"

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// What a launch takes over from the program the host lives in.
struct HostWorld {
  std::vector<std::string> environment = {};  ///< "NAME=value", without what is of one process.
  std::string path = {};                      ///< PATH.
  std::optional<rlim_t> open_files = {};      ///< Soft limit for a process that sets none.
  std::string host_id = {};                   ///< Told to every process as ESPALIER_HOST_ID.

  /// Reads the environment, and makes up a host id no other host has.
  [[nodiscard]] static HostWorld capture();
};

/// Who a process is to be.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups = {};
};

struct LimitToSet {
  decltype(RLIMIT_AS) which = RLIMIT_AS;
  rlimit value = {};
  const char* name = "";
};

/// All that the child needs between fork and exec, where nothing may be allocated or looked up.
struct LaunchPlan {
  std::string program = {};
  std::vector<std::string> arguments = {};
  std::vector<std::string> environment = {};
  std::vector<char*> argv = {};  ///< Into `arguments`, null at the end.
  std::vector<char*> envp = {};  ///< Into `environment`, null at the end.
  std::optional<Identity> identity = {};
  std::vector<LimitToSet> limits = {};
  std::string problem = {};  ///< Not empty: why it cannot be launched.

  LaunchPlan() = default;
  LaunchPlan(const LaunchPlan&) = delete;  // argv and envp point into it.
  LaunchPlan& operator=(const LaunchPlan&) = delete;
  LaunchPlan(LaunchPlan&&) = default;
  LaunchPlan& operator=(LaunchPlan&&) = default;
};

/// Cost: looks the program up in PATH and, for a `user` or `group`, asks the user database.
[[nodiscard]] LaunchPlan make_launch_plan(const LaunchRequest& request, const HostWorld& world,
                                          const std::string& notify_address);

}  // namespace espalier::supervisor
