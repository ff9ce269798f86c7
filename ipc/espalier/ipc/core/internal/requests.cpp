#include "espalier/ipc/core/internal/requests.hpp"

#include "espalier/ipc/core/internal/answers.hpp"
#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/json.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <unordered_map>
#include <utility>

namespace espalier::ipc::internal {

using supervisor::Duration;

namespace {

constexpr Duration between_rate_records = std::chrono::seconds{1};

// The id of a line that is otherwise none, where it has one.
std::string id_of(const Json& json) {
  if (!json.is_object() || !json.contains("request_id")) return "null";
  const auto request = read_request({{"request_id", json["request_id"]}, {"method", "?"}});
  return request ? request->id_json : "null";
}

template <Message T>
expected<T, WireError> read(const Json& params) {
  auto message = decode<T>(params, Unknown::refuse);
  if (message) return std::move(*message);
  return unexpected<WireError>(WireError{
      ErrorCode::invalid_params, Stage::parameters, std::move(message.error()), false, {}});
}

// Runs `use` on the parameters, if they can be read.
template <Message T, class Use>
expected<std::string, WireError> with(const Json& params, Use use) {
  auto message = read<T>(params);
  if (!message) return unexpected<WireError>(std::move(message.error()));
  return use(std::move(*message));
}

std::uint64_t whole_ms(Duration d) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(d).count());
}

}  // namespace

Requests::Requests(Parts parts, Commands::Send send)
    : with_(parts), send_(std::move(send)), target_id_(parts.target.info().target_id) {}

void Requests::serve(Connection& from, std::string_view line, const Moment& at) {
  Call call{from, at};
  auto problem = rate_problem(from, at);
  // Who is too fast is told so under the id of his request, if it has one.
  if (auto unreadable = parse(call, line); !problem) problem = std::move(unreadable);
  if (!problem) problem = admit(call);
  if (!problem) problem = call.method->is_command ? start_command(call) : answer(call);
  if (problem) refuse(call, *problem);
  if (!with_.figures) return;
  with_.figures->requested(call.method, problem ? std::optional{problem->code} : call.refused);
}

Requests::Problem Requests::rate_problem(Connection& from, const Moment& at) {
  auto wait = from.rate.take(at.now);
  const bool is_own = wait > Duration::zero();
  if (!is_own) wait = with_.users.take(from.peer.uid, at.now);
  if (wait <= Duration::zero()) return {};
  const std::string whose = is_own ? "this connection" : "all connections of this user together";
  WireError error{ErrorCode::rate_limited, Stage::rate,
                  "too many requests from " + whose + "; send it again after retry_after_ms", true,
                  whole_ms(wait)};
  return error;
}

Requests::Problem Requests::parse(Call& call, std::string_view line) const {
  auto json = parse_json(line);
  if (!json) return WireError{ErrorCode::invalid_json, Stage::parsing, json.error(), false, {}};
  auto request = read_request(std::move(*json));
  if (request) {
    call.request = std::move(*request);
    return {};
  }
  call.request.id_json = id_of(*json);
  return std::move(request.error());
}

Requests::Problem Requests::admit(Call& call) {
  if (!call.from.replay.admit(call.request.id, call.at.now)) {
    return WireError{ErrorCode::replayed,
                     Stage::replay,
                     "request_id " + call.request.id_json +
                         " was used on this connection a moment ago; give every request another "
                         "one, and repeat a command under the same command_id",
                     false,
                     {}};
  }
  call.method = find_method(call.request.method);
  if (!call.method) return unknown_method(call.request.method);
  const auto right = call.method->right;
  if (!right || with_.authorisation.may(call.from.peer, *right)) return {};
  return WireError{ErrorCode::forbidden,
                   Stage::authorisation,
                   call.request.method + " needs the right '" + to_string(*right) +
                       "', which user " + std::to_string(call.from.peer.uid) +
                       " does not have; ask whoever configures this target",
                   false,
                   {}};
}

Requests::Problem Requests::start_command(Call& call) {
  auto params = read<CommandParams>(call.request.params);
  if (!params) return std::move(params.error());
  call.refused =
      with_.commands.start({call.from.id, call.from.peer, std::move(call.request.id_json),
                            std::move(call.request.id), call.method, std::move(*params)},
                           call.at);
  return {};
}

Requests::Problem Requests::answer(Call& call) {
  const auto handler = handler_of(call.method->name);
  if (!handler) {
    return WireError{ErrorCode::internal,
                     Stage::execution,
                     call.request.method + " is not served here; tell whoever made this target",
                     false,
                     {}};
  }
  const auto result = (this->*handler)(call);
  if (!result) return result.error();
  send_(call.from.id, ok_line(call.request.id_json, *result));
  return {};
}

Requests::Handler Requests::handler_of(std::string_view method) {
  static const std::unordered_map<std::string_view, Handler> all{
      {"hello", &Requests::hello},
      {"ping", &Requests::ping},
      {"health", &Requests::health},
      {"state", &Requests::state},
      {"state.subscribe", &Requests::subscribe_state},
      {"events.subscribe", &Requests::subscribe_events},
      {"events.query", &Requests::query_events},
      {"logs.tail", &Requests::tail_logs},
      {"unsubscribe", &Requests::unsubscribe},
      {"why", &Requests::why},
      {"pipelines", &Requests::pipelines},
      {"audit.query", &Requests::query_audit},
  };
  const auto found = all.find(method);
  return found == all.end() ? nullptr : found->second;
}

// --- refusals ----------------------------------------------------------------------------------

void Requests::refuse(const Call& call, const WireError& error) {
  audit(call, error);
  send_(call.from.id, error_line(call.request.id_json, error, target_id_));
}

// Parameters of a read that are wrong, and nodes that are not there, endanger nobody.
void Requests::audit(const Call& call, const WireError& error) {
  const bool is_noise = error.stage == Stage::parsing || error.code == ErrorCode::unknown_method;
  const auto sort = is_noise ? Auditor::Sort::noise : Auditor::Sort::control;
  const bool is_of_a_control = error.stage == Stage::replay || error.stage == Stage::rate ||
                               error.stage == Stage::authorisation || error.stage == Stage::framing;
  const bool is_command = call.method && call.method->is_command;
  if (!is_noise && !is_of_a_control && !is_command) return;
  if (error.stage == Stage::rate) {
    auto& last = call.from.rate_audited_at;
    if (last && call.at.now - *last < between_rate_records) {
      return with_.audit.count(call.from.peer.uid, sort);
    }
    last = call.at.now;
  }
  auto record = record_of(call.from.peer, call.at.wall);
  record.method = cut(call.request.method, 64);
  if (!call.request.id.empty()) record.request_id = call.request.id;
  record.decision = "refused";
  record.control = to_string(error.stage);
  record.detail = to_string(error.code);
  with_.audit.note(std::move(record), sort, call.at.now);
}

void Requests::refuse_long_line(Connection& from, const Moment& at) {
  refuse(Call{from, at}, {ErrorCode::line_too_long,
                          Stage::framing,
                          "a line may have " + std::to_string(with_.rules.max_line_bytes) +
                              " bytes; where the next one begins is lost, so the connection is "
                              "closed: connect again",
                          false,
                          {}});
}

void Requests::note_refused_peer(const Peer& peer, const WireError& error, const Moment& at) {
  auto record = record_of(peer, at.wall);
  record.decision = "refused";
  record.control = to_string(error.stage);
  record.detail = to_string(error.code);
  with_.audit.note(std::move(record), Auditor::Sort::control, at.now);
}

// --- methods that change nothing ---------------------------------------------------------------

Requests::Result Requests::hello(const Call& call) {
  return with<HelloParams>(call.request.params, [&](const HelloParams&) {
    const auto allowed = with_.authorisation.allowed(call.from.peer);
    auto& text = hellos_[allowed];
    if (text.empty()) text = hello_text(with_.target.info(), with_.rules, allowed);
    return text;
  });
}

Requests::Result Requests::ping(const Call& call) {
  return with<Nothing>(call.request.params, [&](Nothing) { return ping_text(call.at.wall); });
}

Requests::Result Requests::health(const Call& call) {
  return with<Nothing>(call.request.params, [&](Nothing) { return health_text(with_.target); });
}

Requests::Result Requests::pipelines(const Call& call) {
  return with<PipelinesParams>(call.request.params, [&](const PipelinesParams& params) {
    return pipelines_text(with_.target, params);
  });
}

Requests::Result Requests::state(const Call& call) {
  return with<StateParams>(call.request.params, [&](const StateParams& params) {
    return with_.subscriptions.state(params, call.at.now, call.at.wall);
  });
}

Requests::Result Requests::subscribe_state(const Call& call) {
  return with<StateSubscribeParams>(call.request.params, [&](const auto& params) {
    return with_.subscriptions.subscribe_state({call.from.id, &call.from.outbox}, params,
                                               call.at.now, call.at.wall);
  });
}

Requests::Result Requests::subscribe_events(const Call& call) {
  return with<EventsSubscribeParams>(call.request.params, [&](const auto& params) {
    return with_.subscriptions.subscribe_events({call.from.id, &call.from.outbox}, params,
                                                call.at.now);
  });
}

Requests::Result Requests::query_events(const Call& call) {
  return with<EventsQueryParams>(call.request.params, [&](const EventsQueryParams& params) {
    return with_.subscriptions.query_events(params);
  });
}

Requests::Result Requests::tail_logs(const Call& call) {
  return with<LogsTailParams>(call.request.params, [&](const LogsTailParams& params) {
    return with_.subscriptions.tail_logs({call.from.id, &call.from.outbox}, params, call.at.now);
  });
}

Requests::Result Requests::unsubscribe(const Call& call) {
  return with<UnsubscribeParams>(call.request.params, [&](const UnsubscribeParams& params) {
    return with_.subscriptions.unsubscribe(call.from.id, params);
  });
}

Requests::Result Requests::why(const Call& call) {
  return with<PathParams>(call.request.params,
                          [&](const PathParams& params) { return why_text(with_.target, params); });
}

Requests::Result Requests::query_audit(const Call& call) {
  return with<AuditQueryParams>(call.request.params, [&](const AuditQueryParams& params) {
    return audit_text(with_.audit, params);
  });
}

}  // namespace espalier::ipc::internal
