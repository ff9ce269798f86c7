#pragma once

#include "espalier/supervisor/core/engine_io.hpp"
#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace espalier::supervisor {

/// A registered function to be run in a copy of this program, and what its context shows it.
struct CopyCall {
  std::string factory = {};
  std::string path = {};
  std::uint64_t generation = 0;
  std::uint64_t attempt = 0;
  Duration heartbeat_interval = Duration::zero();
  std::map<std::string, std::string> params = {};
  /// How long the copy may take to reach child_main, and to end once its function has. Not sent.
  Duration patience = std::chrono::seconds{5};
};

/// What a supervisor and the copy of its program tell each other: one message a packet of a
/// SOCK_SEQPACKET socket, made of netstrings ("5:ready,"), the first of which says what it is.
///
/// A copy may have gone mad: parsers take any bytes, and give nothing for what is not exactly a
/// message. Pure; no message is longer than `max_message`.
namespace wire {

inline constexpr std::size_t max_message = std::size_t{64} * 1024;

struct Running {};  ///< The function is found and begins.
struct Ready {};
struct Alive {};
struct Status {
  std::string text = {};
};
struct Asks {
  input::Wish wish = input::Wish::restart;
  std::string reason = {};
};
/// How the function ended: completed, failed or panicked.
struct Ended {
  ExitKind kind = ExitKind::completed;
  FailureCategory category = FailureCategory::none;
  std::string message = {};
};
/// A signal that ends it; lines of a stack trace follow, as raw packets.
struct Crashed {
  int signal = 0;
  int code = 0;               ///< si_code
  std::uint64_t address = 0;  ///< si_addr
  std::uint64_t stack = 0;    ///< Stack pointer; 0: not known.
};
using FromCopy = std::variant<Running, Ready, Alive, Status, Asks, Ended, Crashed>;

/// The call as a packet; longer than `max_message` where its params are too large.
[[nodiscard]] std::string encode(const CopyCall& call);
[[nodiscard]] std::optional<CopyCall> parse_call(std::string_view packet);

inline constexpr std::string_view stop = "4:stop,";

/// Texts that are too long are cut.
[[nodiscard]] std::string encode(const FromCopy& message);
[[nodiscard]] std::optional<FromCopy> parse_from_copy(std::string_view packet);

/// `encode` for a signal handler: no allocation, only the stack.
using CrashPacket = std::array<char, 96>;
[[nodiscard]] std::size_t encode_crash(const Crashed& crash, CrashPacket& packet) noexcept;

/// "segmentation fault at address 0x0", "stack overflow: ...", "abort".
[[nodiscard]] std::string describe(const Crashed& crash);

}  // namespace wire

}  // namespace espalier::supervisor
