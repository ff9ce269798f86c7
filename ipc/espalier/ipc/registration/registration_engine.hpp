#pragma once

#include "espalier/ipc/wire/json.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/supervisor/config/dashboard_spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::ipc {

/// Of a line from a relay. A longer one ends the connection.
inline constexpr std::size_t max_relay_line = 64UL * 1024;

/// Keeps a target registered with a relay: connects, registers, renews the lease by heartbeats,
/// and after any failure tries again for ever, with a growing pause and full jitter. Pure.
///
/// A relay that refuses for good is asked again after ten times the longest pause: it may be
/// configured anew. What is told for the log is told once, not at every try.
class RegistrationEngine {
 public:
  enum class State : std::uint8_t { waiting, connecting, registering, registered, refused, ended };
  struct Effects {
    bool disconnect = false;  ///< Close the connection there is, once `send` is written.
    bool connect = false;     ///< Open a connection; then `connected` or `lost`.
    std::string send = {};    ///< Lines to write, with their newlines.
    std::vector<std::string> notes = {};  ///< For the log: one sentence each.
  };

  RegistrationEngine(supervisor::RegistrationSpec spec, RegisterParams self, std::uint64_t seed);

  [[nodiscard]] Effects start(supervisor::TimePoint now);
  [[nodiscard]] Effects connected(supervisor::TimePoint now);
  /// The connection could not be made, or is gone.
  [[nodiscard]] Effects lost(const std::string& why, supervisor::TimePoint now);
  /// One line from the relay, without its newline.
  [[nodiscard]] Effects line(std::string_view text, supervisor::TimePoint now);
  /// To be called at `next_deadline`; earlier is harmless.
  [[nodiscard]] Effects tick(supervisor::TimePoint now);
  /// Says goodbye where it is registered. Nothing happens after.
  [[nodiscard]] Effects stop();
  [[nodiscard]] std::optional<supervisor::TimePoint> next_deadline() const;
  [[nodiscard]] State state() const { return state_; }

 private:
  [[nodiscard]] supervisor::Duration pause();
  template <class Params>
  [[nodiscard]] std::string request(const char* method, const Params& params);
  void answered(Effects& effects, const Json& answer, supervisor::TimePoint now);
  void registered(Effects& effects, const Json& result, supervisor::TimePoint now);
  void refused(Effects& effects, const Json& answer, supervisor::TimePoint now);
  /// Ends the connection and sets the time of the next try, `least` from now at the earliest.
  void try_later(Effects& effects, const std::string& why, supervisor::TimePoint now,
                 supervisor::Duration least = {});
  void note_trouble(Effects& effects, const std::string& why, const char* what_next);

  supervisor::RegistrationSpec spec_;
  RegisterParams self_;
  std::minstd_rand random_;
  State state_ = State::waiting;
  std::uint32_t failures_ = 0;
  std::uint64_t next_request_ = 1;
  std::uint64_t awaited_ = 0;  ///< Request that has no answer yet; 0: none.
  std::uint32_t unasked_ = 0;  ///< Lines since the last answer that answer nothing.
  std::string registration_id_ = {};
  std::string trouble_ = {};  ///< The last that was told; empty: none since it was registered.
  supervisor::Duration heartbeat_ = {};
  supervisor::TimePoint registered_at_ = {};
  std::optional<supervisor::TimePoint> deadline_ = {};
};

}  // namespace espalier::ipc
