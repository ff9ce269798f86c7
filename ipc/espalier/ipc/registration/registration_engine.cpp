#include "espalier/ipc/registration/registration_engine.hpp"

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/envelope.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace espalier::ipc {
namespace {

using supervisor::Duration;
using supervisor::TimePoint;
using namespace std::chrono_literals;

constexpr Duration step_timeout = 5s;  ///< Of connecting, and of the answer to `register`.
constexpr Duration least_pause = 10ms;
constexpr Duration least_heartbeat = 100ms;
constexpr std::uint32_t max_unasked = 100;
constexpr std::int64_t refused_factor = 10;

std::string text_of(const Json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_string() ? field->get<std::string>() : std::string();
}

/// As often as the relay wants, and three times within the lease at least.
Duration heartbeat_of(std::uint64_t seconds, Duration lease) {
  const Duration third = std::max(lease / 3, least_heartbeat);
  if (seconds == 0 || seconds >= 3600) return third;
  return std::min<Duration>(std::chrono::seconds{seconds}, third);
}

}  // namespace

using Effects = RegistrationEngine::Effects;

RegistrationEngine::RegistrationEngine(supervisor::RegistrationSpec spec, RegisterParams self,
                                       std::uint64_t seed)
    : spec_(std::move(spec)),
      self_(std::move(self)),
      random_(static_cast<std::minstd_rand::result_type>(seed % 2'147'483'646 + 1)) {}

template <class Params>
std::string RegistrationEngine::request(const char* method, const Params& params) {
  std::string text;
  encode(text, params);
  awaited_ = next_request_++;
  return request_line(std::to_string(awaited_), method, text) + "\n";
}

Effects RegistrationEngine::start(TimePoint now) {
  deadline_ = now;
  return tick(now);
}

Effects RegistrationEngine::connected(TimePoint now) {
  Effects effects;
  if (state_ != State::connecting) return effects;
  state_ = State::registering;
  unasked_ = 0;
  effects.send = request("register", self_);
  deadline_ = now + step_timeout;
  return effects;
}

Effects RegistrationEngine::lost(const std::string& why, TimePoint now) {
  Effects effects;
  if (state_ == State::connecting || state_ == State::registering || state_ == State::registered) {
    try_later(effects, why, now);
  }
  return effects;
}

Effects RegistrationEngine::line(std::string_view text, TimePoint now) {
  Effects effects;
  if (state_ != State::registering && state_ != State::registered) return effects;
  if (text.size() > max_relay_line) {
    try_later(effects, "it sent a line of more than 64 KiB", now);
    return effects;
  }
  const auto json = parse_json(text);
  if (!json || !json->is_object()) {
    try_later(effects, "it sent a line that is no JSON object", now);
  } else if (awaited_ != 0 && text_of(*json, "request_id") == std::to_string(awaited_)) {
    answered(effects, *json, now);
  } else if (++unasked_ > max_unasked) {
    // Lines that nobody asked for may come from a newer relay; a flood of them does not.
    try_later(effects, "it floods us with lines that answer nothing", now);
  }
  return effects;
}

Effects RegistrationEngine::tick(TimePoint now) {
  Effects effects;
  if (!deadline_ || now < *deadline_) return effects;
  switch (state_) {
    case State::waiting:
    case State::refused:
      state_ = State::connecting;
      deadline_ = now + step_timeout;
      effects.connect = true;
      break;
    case State::connecting:
      try_later(effects, "it takes no connection within 5 s", now);
      break;
    case State::registering:
      try_later(effects, "it does not answer within 5 s", now);
      break;
    case State::registered:
      if (awaited_ != 0) {
        try_later(effects, "it did not answer a heartbeat in time", now);
        break;
      }
      effects.send = request("heartbeat", HeartbeatParams{.registration_id = registration_id_});
      deadline_ = now + heartbeat_;
      break;
    case State::ended:
      break;
  }
  return effects;
}

Effects RegistrationEngine::stop() {
  Effects effects;
  if (state_ == State::registered) {
    effects.send = request("unregister", HeartbeatParams{.registration_id = registration_id_});
  }
  effects.disconnect =
      state_ == State::connecting || state_ == State::registering || state_ == State::registered;
  state_ = State::ended;
  deadline_.reset();
  return effects;
}

std::optional<TimePoint> RegistrationEngine::next_deadline() const {
  return deadline_;
}

Duration RegistrationEngine::pause() {
  const auto ceiling = std::max(spec_.max_backoff, least_pause);
  const double grown = static_cast<double>(std::max(spec_.initial_backoff, least_pause).count()) *
                       std::pow(2.0, std::min(failures_, 40U));
  const double longest = std::min(grown, static_cast<double>(ceiling.count()));
  // Full jitter: targets that lost the same relay do not come back all at once.
  const double share = std::uniform_real_distribution<double>(0, 1)(random_);
  ++failures_;
  return std::max(Duration(static_cast<Duration::rep>(share * longest)), least_pause);
}

void RegistrationEngine::answered(Effects& effects, const Json& answer, TimePoint now) {
  awaited_ = 0;
  unasked_ = 0;
  const auto ok = answer.find("ok");
  if (ok == answer.end() || *ok != true) {
    refused(effects, answer, now);
  } else if (state_ == State::registering) {
    const auto result = answer.find("result");
    registered(effects, result == answer.end() ? Json() : *result, now);
  } else if (now - registered_at_ >= spec_.lease) {
    failures_ = 0;
  }
}

void RegistrationEngine::registered(Effects& effects, const Json& result, TimePoint now) {
  const auto given = decode<RegisterResult>(result, Unknown::ignore, "result");
  if (!given) {
    try_later(effects, "its answer to `register` is none: " + given.error(), now);
    return;
  }
  state_ = State::registered;
  registration_id_ = given->registration_id;
  heartbeat_ = heartbeat_of(given->heartbeat_seconds, spec_.lease);
  registered_at_ = now;
  deadline_ = now + heartbeat_;
  trouble_.clear();
  effects.notes.push_back("registered with the relay at " + spec_.path + " as " + self_.target_id);
}

void RegistrationEngine::refused(Effects& effects, const Json& answer, TimePoint now) {
  const auto error = answer.find("error");
  const Json body = error != answer.end() && error->is_object() ? *error : Json::object();
  const auto retryable = body.find("retryable");
  const std::string message = text_of(body, "message");
  const std::string why =
      "it refuses this target: " + (message.empty() ? std::string("it says not why") : message);
  // Saying not whether to try again is no reason never to.
  if (retryable == body.end() || *retryable != false) {
    const auto wait = body.find("retry_after_ms");
    const auto longest = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(refused_factor * spec_.max_backoff)
            .count());
    const auto ms = wait != body.end() && wait->is_number_unsigned()
                        ? std::min(wait->get<std::uint64_t>(), longest)
                        : 0;
    try_later(effects, why, now, std::chrono::milliseconds{ms});
    return;
  }
  effects.disconnect = true;
  state_ = State::refused;
  deadline_ = now + std::max(refused_factor * spec_.max_backoff, least_pause);
  note_trouble(effects, why, "and says that trying again is of no use; it is asked again later");
}

void RegistrationEngine::try_later(Effects& effects, const std::string& why, TimePoint now,
                                   Duration least) {
  effects.disconnect = true;
  state_ = State::waiting;
  awaited_ = 0;
  deadline_ = now + std::max(pause(), least);
  note_trouble(effects, why, "it is tried again until it works");
}

void RegistrationEngine::note_trouble(Effects& effects, const std::string& why,
                                      const char* what_next) {
  if (why == trouble_) return;
  trouble_ = why;
  effects.notes.push_back("not registered with the relay at " + spec_.path + ": " + why + "; " +
                          what_next);
}

}  // namespace espalier::ipc
