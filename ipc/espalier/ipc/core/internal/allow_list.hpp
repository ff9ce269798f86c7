#pragma once

#include "espalier/ipc/wire/error.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/runtime/tree_state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc::internal {

/// Control C9: which programs a child that comes over the socket may run. Looked at are the command
/// lines of processes and of probes, of the child, of all below it and of pool templates; and
/// variables of the environment that would make a listed program run something else. A function
/// that runs isolated runs this program.
///
/// What the running tree already runs at the same place, in the same way, may go on.
class AllowList {
 public:
  AllowList(const std::vector<std::string>& allowed, const supervisor::TreeState& running);

  /// Nothing: all of it may run.
  [[nodiscard]] std::optional<WireError> problem_of(const supervisor::ChildSpec& child,
                                                    const std::string& path) const;
  [[nodiscard]] std::optional<WireError> problem_of(const supervisor::SupervisorSpec& tree) const;

 private:
  struct Program {
    std::string place = {};  ///< "/db", "/db health_check"
    std::vector<std::string> command = {};
    std::string cwd = {};
    std::vector<std::string> variables = {};  ///< Those that matter, NAME=VALUE.
    bool operator==(const Program&) const = default;
  };
  static void collect_own(const supervisor::ChildSpec& child, const std::string& path,
                          std::vector<Program>& into);
  static void collect(const supervisor::ChildSpec& child, const std::string& path,
                      std::vector<Program>& into);
  [[nodiscard]] std::optional<WireError> problem_of(const std::vector<Program>& programs) const;
  [[nodiscard]] bool is_listed(const std::string& program) const;

  const std::vector<std::string>& allowed_;
  std::vector<Program> running_ = {};  ///< By place.
};

}  // namespace espalier::ipc::internal
