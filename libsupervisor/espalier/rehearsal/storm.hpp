#pragma once

#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/testing/child_script.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace espalier::rehearsal {

/// What goes wrong in a rehearsal, to whom and when. Times count from the start of the tree; paths
/// may be patterns ("/workers/*"), and that of a pool stands for all its instances.
namespace storm {

/// By chance.
struct Failures {
  std::string path = {};
  double share = 0;                 ///< Of the starts: each such attempt fails soon, in 100 ms.
  supervisor::Duration every = {};  ///< An attempt lives so long on the average; zero: for ever.
  std::string message = "by chance";
};

/// At a known time.
struct Incident {
  enum class Kind : std::uint8_t {
    exit,    ///< Ends `times` times, spread over `within`.
    outage,  ///< What runs fails, and until `lasts` is over each attempt fails `after` its start.
    hang,    ///< The attempt does nothing any more.
    start,   ///< An operator's commands.
    stop,
    restart,
    shutdown,  ///< Of the whole tree.
  };
  supervisor::Duration at = {};
  Kind kind = Kind::exit;
  std::string path = {};
  std::uint64_t times = 1;
  supervisor::Duration within = {};
  supervisor::Duration lasts = {};
  supervisor::Duration after = {};
  bool strikes = true;  ///< Of an outage: what runs when it begins fails as well.
  supervisor::ExitRecord exit = {.kind = supervisor::ExitKind::failed,
                                 .category = supervisor::FailureCategory::recoverable,
                                 .message = "as the script says"};
};

/// How long things take where nothing is wrong.
struct Pace {
  std::string path = {};
  supervisor::Duration ready_after = {};  ///< Where a child is not ready as soon as it runs.
  supervisor::Duration stops_after = {};
  bool ignores_stop = false;
};

}  // namespace storm

struct Storm {
  std::vector<storm::Failures> failures = {};
  std::vector<storm::Incident> incidents = {};
  std::vector<storm::Pace> paces = {};
};

/// Paths of all children that are no supervisors, in the order of the file; a pool is one.
[[nodiscard]] std::vector<std::string> leaf_paths(const supervisor::SupervisorSpec& tree);
/// What of it is about nobody in that tree: one sentence each, with what there is.
[[nodiscard]] std::vector<std::string> storm_problems(const Storm& storm,
                                                      const supervisor::SupervisorSpec& tree);
/// Whether `path`, or the pool it is an instance of, is meant by `who`, which may be a pattern.
[[nodiscard]] bool concerns(const std::string& who, const std::string& path);

/// Asked at each begin of an attempt of that child: the same seed, the same answers.
[[nodiscard]] testing::ChildScript::Fate fate_of(const Storm& storm, const std::string& path,
                                                 std::uint64_t seed);

}  // namespace espalier::rehearsal
