#include "espalier/ipc/core/internal/command_request.hpp"

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/envelope.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace espalier::ipc::internal {

using supervisor::CommandKind;

namespace {

constexpr std::size_t most_bytes_of_a_word = 1000;
constexpr std::size_t most_bytes_of_a_path = 1024;
constexpr std::uint64_t longest_wait_ms = 600'000;

WireError invalid(const std::string& field, const std::string& what) {
  return {ErrorCode::invalid_params, Stage::parameters, "params." + field + ": " + what, false, {}};
}

std::optional<WireError> word_problem(const char* field, const std::string& word) {
  if (word.size() > most_bytes_of_a_word) {
    return invalid(field, "at most " + std::to_string(most_bytes_of_a_word) + " bytes, not " +
                              std::to_string(word.size()));
  }
  if (word.find_first_not_of(" \t\r\n") == std::string::npos) {
    return invalid(field, "may not be blank; it is kept in the audit, for those who ask later");
  }
  return {};
}

bool is_of_the_tree(CommandKind kind) {
  return kind == CommandKind::reload || kind == CommandKind::shutdown_tree;
}

std::optional<WireError> path_problem(CommandKind kind, const CommandParams& params) {
  if (is_of_the_tree(kind)) {
    if (!params.path || *params.path == "/") return {};
    return invalid("path", "this command is for the whole tree; leave it out");
  }
  if (!params.path) return invalid("path", "is missing; it says what the command is about");
  if (!params.path->starts_with('/')) return invalid("path", "must begin with /, like /db");
  if (params.path->size() <= most_bytes_of_a_path) return {};
  return invalid("path", "at most " + std::to_string(most_bytes_of_a_path) + " bytes");
}

// Fields that belong to some commands only: which those are, and whether they need it.
std::optional<WireError> field_problem(CommandKind kind, const char* field, bool is_there,
                                       std::initializer_list<CommandKind> takers,
                                       std::initializer_list<CommandKind> needers) {
  const auto holds = [&](const auto& kinds) {
    return std::ranges::find(kinds, kind) != kinds.end();
  };
  if (is_there && !holds(takers)) {
    return invalid(field, std::string{"command."} + to_string(kind) + " does not take it");
  }
  if (!is_there && holds(needers)) {
    return invalid(field, std::string{"is missing; command."} + to_string(kind) + " needs it");
  }
  return {};
}

std::optional<WireError> own_fields_problem(CommandKind kind, const CommandParams& params) {
  using K = CommandKind;
  if (auto e = field_problem(kind, "child", params.child.has_value(), {K::add_child, K::set_policy},
                             {K::set_policy})) {
    return e;
  }
  if (auto e =
          field_problem(kind, "size", params.size.has_value(), {K::scale_pool}, {K::scale_pool})) {
    return e;
  }
  if (auto e = field_problem(kind, "group", params.group.has_value(), {K::reset_group},
                             {K::reset_group})) {
    return e;
  }
  if (auto e = field_problem(kind, "text", params.text.has_value(), {K::reload}, {})) return e;
  if (params.child && !params.child->text.starts_with('{')) {
    return invalid("child", "expected an object");
  }
  if (params.size && *params.size > std::numeric_limits<std::uint32_t>::max()) {
    return invalid("size", "is larger than any pool");
  }
  return {};
}

}  // namespace

CommandKind kind_of(const MethodInfo& method) {
  const auto word = method.name.substr(method.name.find('.') + 1);
  constexpr auto last = static_cast<int>(CommandKind::shutdown_tree);
  for (int i = 0; i < last; ++i)
    if (word == to_string(static_cast<CommandKind>(i))) return static_cast<CommandKind>(i);
  return CommandKind::shutdown_tree;
}

std::optional<WireError> confirmation_problem(const MethodInfo& method,
                                              const CommandParams& params) {
  if (!method.is_dangerous() || params.dry_run.value_or(false)) return {};
  if (params.confirmed.value_or(false)) return {};
  return WireError{ErrorCode::not_confirmed,
                   Stage::confirmation,
                   std::string{method.name} +
                       " is dangerous: ask whoever wants it, then send it with confirmed: true; "
                       "dry_run: true says what it would do",
                   false,
                   {}};
}

std::optional<WireError> params_problem(CommandKind kind, const CommandParams& params) {
  if (auto error = path_problem(kind, params)) return error;
  if (auto error = word_problem("requested_by", params.requested_by)) return error;
  if (auto error = word_problem("reason", params.reason)) return error;
  if (params.command_id && !is_id_text(*params.command_id)) {
    return invalid("command_id", "expected 1 to 128 bytes without control characters");
  }
  if (params.timeout_ms.value_or(0) > longest_wait_ms) {
    return invalid("timeout_ms", "at most " + std::to_string(longest_wait_ms) +
                                     "; what takes longer is better asked with 0 and followed");
  }
  return own_fields_problem(kind, params);
}

std::string content_of(const MethodInfo& method, CommandParams params) {
  params.command_id.reset();
  params.timeout_ms.reset();
  std::string content{method.name};
  content += ' ';
  encode(content, params);
  return content;
}

WireError error_of(const supervisor::Error& error) {
  using From = supervisor::Error::Code;
  const auto made = [&](ErrorCode code, bool retryable = false, Stage stage = Stage::execution) {
    return WireError{code, stage, error.message, retryable, {}};
  };
  switch (error.code) {
    case From::invalid_spec:
    case From::unknown_factory:
      return made(ErrorCode::invalid_spec);
    case From::start_failed:
      return made(ErrorCode::start_failed, true);
    case From::blank_meta:
      return made(ErrorCode::invalid_params);
    case From::timed_out:
    case From::stopped_early:
    case From::superseded:
      return made(ErrorCode::superseded);
    case From::not_found:
      return made(ErrorCode::not_found);
    case From::wrong_kind:
      return made(ErrorCode::wrong_kind);
    case From::wrong_state:
      return made(ErrorCode::wrong_state, true);
    case From::stale_generation:
      return made(ErrorCode::stale_generation, false, Stage::fencing);
    case From::name_taken:
    case From::dependency:
      return made(ErrorCode::conflict);
    case From::limit_reached:
      return made(ErrorCode::limit_reached, true);
    case From::shutting_down:
      return made(ErrorCode::shutting_down);
    case From::gone:
      return made(ErrorCode::gone);
  }
  return made(ErrorCode::internal);
}

OutcomeInfo outcome_of(const supervisor::CommandOutcome& outcome) {
  OutcomeInfo info;
  info.path = outcome.path;
  info.text = outcome.text;
  info.changed = outcome.changed;
  info.joined = outcome.joined;
  info.phase = to_string(outcome.phase);
  info.generation = outcome.generation;
  info.plan = outcome.plan;
  return info;
}

}  // namespace espalier::ipc::internal
