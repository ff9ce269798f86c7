#include "espalier/supervisor/core/command.hpp"

namespace espalier::supervisor {

std::string child_of(const Command& command) {
  switch (command.kind) {
    case CommandKind::add_child:
      return command.spec ? join_path(command.path, command.spec->name) : "";
    case CommandKind::reset_group:
    case CommandKind::scale_pool:
    case CommandKind::reload:
    case CommandKind::shutdown_tree:
      return "";
    default:
      return command.path;
  }
}

std::optional<Error> stale_generation(const Command& command, std::uint64_t generation) {
  const auto& expected = command.expected_generation;
  if (!expected || *expected == generation) return {};
  return Error{Error::Code::stale_generation,
               child_of(command) + " is in attempt " + std::to_string(generation) +
                   ", not in attempt " + std::to_string(*expected) +
                   " any more; nothing was changed: look again and decide anew"};
}

const char* to_string(CommandKind x) {
  switch (x) {
    case CommandKind::add_child:
      return "add_child";
    case CommandKind::remove_child:
      return "remove_child";
    case CommandKind::start_child:
      return "start_child";
    case CommandKind::stop_child:
      return "stop_child";
    case CommandKind::restart_child:
      return "restart_child";
    case CommandKind::pause_child:
      return "pause_child";
    case CommandKind::resume_child:
      return "resume_child";
    case CommandKind::quarantine_child:
      return "quarantine_child";
    case CommandKind::reset_child:
      return "reset_child";
    case CommandKind::set_policy:
      return "set_policy";
    case CommandKind::reset_group:
      return "reset_group";
    case CommandKind::scale_pool:
      return "scale_pool";
    case CommandKind::reload:
      return "reload";
    case CommandKind::shutdown_tree:
      return "shutdown_tree";
  }
  return "";
}

const char* to_string(Error::Code x) {
  switch (x) {
    case Error::Code::invalid_spec:
      return "invalid_spec";
    case Error::Code::start_failed:
      return "start_failed";
    case Error::Code::stopped_early:
      return "stopped_early";
    case Error::Code::blank_meta:
      return "blank_meta";
    case Error::Code::timed_out:
      return "timed_out";
    case Error::Code::not_found:
      return "not_found";
    case Error::Code::wrong_kind:
      return "wrong_kind";
    case Error::Code::wrong_state:
      return "wrong_state";
    case Error::Code::stale_generation:
      return "stale_generation";
    case Error::Code::name_taken:
      return "name_taken";
    case Error::Code::dependency:
      return "dependency";
    case Error::Code::unknown_factory:
      return "unknown_factory";
    case Error::Code::limit_reached:
      return "limit_reached";
    case Error::Code::superseded:
      return "superseded";
    case Error::Code::shutting_down:
      return "shutting_down";
    case Error::Code::gone:
      return "gone";
  }
  return "";
}

}  // namespace espalier::supervisor
