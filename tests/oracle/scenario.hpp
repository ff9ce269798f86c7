#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace espalier::oracle {

/// How a child takes being asked to stop: it does, it fails instead, it does not hear, or it is
/// not asked but ended at once (OTP's brutal_kill).
enum class Nature : std::uint8_t { obedient, rude, deaf, brutal };

/// How a child ends by itself, in OTP's words. `because` is {shutdown, because}; crash and error
/// are one to OTP, and an exception and a reported failure here.
enum class Reason : std::uint8_t { normal, shutdown, because, crash, error, killed };

struct SupervisorDecl;

struct ChildDecl {
  std::string name = {};
  supervisor::RestartType restart = supervisor::RestartType::permanent;
  bool significant = false;
  Nature nature = Nature::obedient;
  std::shared_ptr<const SupervisorDecl> nested = {};  ///< Null: a worker.
};

struct SupervisorDecl {
  supervisor::Strategy strategy = supervisor::Strategy::one_for_one;
  std::uint32_t intensity = 1;  ///< In an hour, so always within one period.
  supervisor::AutoShutdown auto_shutdown = supervisor::AutoShutdown::never;
  std::vector<ChildDecl> children = {};
  /// OTP's simple_one_for_one, our pool: begins with nobody, and its only child is the template.
  bool is_pool = false;
};

/// One thing that happens. The next happens once nothing moves any more.
struct Action {
  enum class Kind : std::uint8_t {
    start,      ///< The whole tree.
    fail,       ///< The next `times` starts of `path` fail.
    exits,      ///< `ends`, all before their supervisor has looked at the first.
    terminate,  ///< The commands about one child, with OTP's names.
    restart,
    remove,
    add,       ///< start_child: `child` below `path`.
    grow,      ///< The same in the pool `path`: its next instance, `child.name`.
    shrink,    ///< terminate_child of an instance, which is then forgotten.
    shutdown,  ///< Of the whole tree.
  };
  struct End {
    std::string path = {};
    Reason reason = Reason::normal;
  };
  Kind kind = Kind::start;
  std::string path = {};
  std::uint32_t times = 0;
  std::vector<End> ends = {};
  ChildDecl child = {};
};

struct Scenario {
  SupervisorDecl root = {};
  std::vector<Action> actions = {};
};

/// What a supervisor did, for each action until it ended: "start /a", "fail /a" (a start that
/// failed), "stop /a", "kill /a", "gives up /" (its intensity is used up), "reply ok", "up /a /b"
/// (who runs afterwards), "start failed", "end".
using Trace = std::vector<std::vector<std::string>>;

/// As an Erlang term: what the other side reads, and what a failing test prints.
[[nodiscard]] std::string to_term(const Scenario& scenario);
[[nodiscard]] std::string to_term(const Action& action);

}  // namespace espalier::oracle
