#include "simulation/fault.hpp"

#include "espalier/supervisor/core/decision.hpp"

#include <algorithm>
#include <random>

namespace espalier::simulation {

namespace {

using Kind = Fault::Kind;
using std::chrono::milliseconds;

const char* word(Kind kind) {
  switch (kind) {
    case Kind::crash:
      return "crash";
    case Kind::fail:
      return "fail";
    case Kind::complete:
      return "complete";
    case Kind::crash_all:
      return "crash all below";
    case Kind::failing_starts:
      return "fail the next starts of";
    case Kind::never_ready:
      return "never ready:";
    case Kind::mute:
      return "no signs of life:";
    case Kind::slow_stop:
      return "slow stop:";
    case Kind::ignores_stop:
      return "ignores stop:";
    case Kind::ignores_abort:
      return "ignores stop and abort:";
    case Kind::mends:
      return "behaves again:";
    case Kind::stale_exit:
      return "late report of";
    case Kind::extend:
      return "asks for time:";
    case Kind::asks:
      return "has a wish:";
    case Kind::clock_jump:
      return "clock jump";
    case Kind::command:
      return "command";
    case Kind::reload:
      return "reload";
    case Kind::read:
      return "a subscriber reads";
    case Kind::stop:
      return "stop";
  }
  return "";
}

class Chance {
 public:
  Chance(std::uint64_t seed, const SupervisorSpec& spec) : random_(seed), paths_(paths_of(spec)) {}

  Fault fault(Duration within) {
    Fault result;
    result.at = milliseconds{roll(static_cast<std::size_t>(within / milliseconds{1}))};
    result.number = roll(1000);
    result.path = one_of(paths_.leaves);
    constexpr Kind kinds[] = {
        Kind::crash,         Kind::crash,    Kind::crash,      Kind::crash,
        Kind::fail,          Kind::complete, Kind::crash_all,  Kind::failing_starts,
        Kind::never_ready,   Kind::mute,     Kind::slow_stop,  Kind::ignores_stop,
        Kind::ignores_abort, Kind::mends,    Kind::mends,      Kind::stale_exit,
        Kind::extend,        Kind::asks,     Kind::clock_jump, Kind::command,
        Kind::command,       Kind::command,  Kind::command,    Kind::reload,
        Kind::read};
    result.kind = kinds[roll(std::size(kinds))];
    if (result.kind == Kind::failing_starts) result.number %= 4;
    if (result.kind == Kind::clock_jump) result.number *= 5;
    if (result.kind == Kind::crash_all) result.path = one_of(paths_.supervisors);
    if (result.kind == Kind::reload) result.path = "/";
    if (result.kind == Kind::command) choose_command(result);
    if (roll(120) == 0) result.kind = Kind::stop;
    return result;
  }

  std::size_t roll(std::size_t n) { return random_() % n; }

 private:
  const std::string& one_of(const std::vector<std::string>& paths) {
    return paths.empty() ? nowhere_ : paths[roll(paths.size())];
  }

  void choose_command(Fault& fault) {
    constexpr CommandKind kinds[] = {
        CommandKind::add_child,   CommandKind::remove_child,  CommandKind::start_child,
        CommandKind::stop_child,  CommandKind::restart_child, CommandKind::restart_child,
        CommandKind::pause_child, CommandKind::resume_child,  CommandKind::quarantine_child,
        CommandKind::reset_child, CommandKind::set_policy,    CommandKind::scale_pool};
    fault.command = kinds[roll(std::size(kinds))];
    if (fault.command == CommandKind::add_child) fault.path = one_of(paths_.supervisors);
    if (fault.command == CommandKind::scale_pool && !paths_.pools.empty()) {
      fault.path = one_of(paths_.pools);
    } else if (roll(5) == 0) {
      fault.path = one_of(paths_.supervisors);
    }
  }

  std::mt19937_64 random_;
  TreePaths paths_;
  std::string nowhere_ = "/nowhere";
};

}  // namespace

std::string describe(const Fault& fault) {
  auto text = "at " + human(fault.at) + ": " + word(fault.kind);
  if (fault.kind == Kind::command) text += std::string{" "} + to_string(fault.command);
  return text + " " + fault.path + " (" + std::to_string(fault.number) + ")";
}

std::vector<Fault> random_faults(std::uint64_t seed, const SupervisorSpec& spec) {
  Chance chance{seed, spec};
  const auto count = 3 + chance.roll(40);
  // Some storms, some quiet weeks.
  const Duration within = milliseconds{chance.roll(3) == 0 ? 300 : 8000};
  std::vector<Fault> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(chance.fault(within));
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return result;
}

}  // namespace espalier::simulation
