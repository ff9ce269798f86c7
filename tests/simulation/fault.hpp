#pragma once

#include "espalier/supervisor/core/command.hpp"
#include "simulation/random_tree.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::simulation {

/// One thing that happens to a tree from outside. Says all about itself, so that it means the same
/// when those before it are taken away.
struct Fault {
  enum class Kind : std::uint8_t {
    crash,           ///< A life ends with an exception.
    fail,            ///< It ends with a failure that it names.
    complete,        ///< It ends well.
    crash_all,       ///< All lives at and below a path end at once.
    failing_starts,  ///< The next `number` starts throw.
    never_ready,     ///< From here on it says nothing when it starts.
    mute,            ///< No signs of life.
    slow_stop,       ///< It takes `number` ms to stop.
    ignores_stop,    ///<
    ignores_abort,   ///< And stops; only what is no actor can.
    mends,           ///< It behaves again.
    stale_exit,      ///< A report of an attempt long gone.
    extend,          ///< It asks for `number` ms more.
    asks,            ///< It wants to be restarted, or, where `number` is odd, the end of the tree.
    clock_jump,      ///< `number` ms pass in which nobody gets to do anything.
    command,         ///< An operator's.
    reload,          ///< Of an edited tree; `number` is the seed of the edit.
    read,            ///< Subscriber `number` reads what it has; else nobody does.
    stop,            ///< The program is told to stop, within `number` ms at most.
  };
  Kind kind = Kind::crash;
  Duration at = Duration::zero();  ///< From the beginning; when exactly is chance.
  std::string path = {};
  std::uint64_t number = 0;
  CommandKind command = CommandKind::restart_child;
};

[[nodiscard]] std::string describe(const Fault& fault);

/// What happens to this tree, in order of time.
[[nodiscard]] std::vector<Fault> random_faults(std::uint64_t seed, const SupervisorSpec& spec);

}  // namespace espalier::simulation
