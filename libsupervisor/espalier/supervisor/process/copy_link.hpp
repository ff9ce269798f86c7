#pragma once

#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"
#include "espalier/supervisor/process/copy_wire.hpp"
#include "espalier/supervisor/process/process_host.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// How a copy learns that it is one: this argument and this variable, which names this descriptor.
inline constexpr const char* copy_argument = "--espalier-child=";
inline constexpr const char* copy_variable = "ESPALIER_CHILD_FD";
inline constexpr const char* copy_fd_text = "3";
inline constexpr int copy_fd = 3;

/// The world of a copy: that of `process`, with a command that makes the program a copy.
[[nodiscard]] std::shared_ptr<const ProcessSpec> spec_of_copy(
    const std::string& path, const std::shared_ptr<const ProcessSpec>& process);

/// The supervisor's end of the socket to a copy of its program, and what it has heard so far.
/// Used on the host's thread only.
class CopyLink {
 public:
  /// Throws std::system_error when there is no socket to be had, std::length_error when the
  /// call's params are too large to be told.
  explicit CopyLink(const CopyCall& call);

  [[nodiscard]] int fd() const { return socket_.get(); }
  /// Readable once the copy has had all the patience it gets.
  [[nodiscard]] int timer_fd() const { return timer_.get(); }
  /// For the copy; never the descriptor it will have there, nor stdin, stdout or stderr.
  [[nodiscard]] UniqueFd take_copys_end() { return std::move(copys_end_); }

  /// Delivers at most `most` waiting messages; false at the end of the connection.
  [[nodiscard]] bool read(int most, std::int64_t pid, ProcessListener& listener);
  void close() { socket_.reset(); }
  void send_stop() const;
  /// The timer has run out: what follows is its end by force.
  void run_out_of_patience();
  /// How the function ended, from what the copy said and how its process ended.
  [[nodiscard]] ExitRecord judge(ExitRecord process) const;

 private:
  void hear(std::string packet, std::int64_t pid, ProcessListener& listener);
  void set_timer(Duration after);
  [[nodiscard]] ExitRecord never_began(ExitRecord process) const;
  [[nodiscard]] ExitRecord crashed(ExitRecord process) const;

  UniqueFd socket_;
  UniqueFd copys_end_;
  UniqueFd timer_;
  Duration patience_;
  bool running_ = false;
  bool out_of_patience_ = false;
  std::optional<wire::Ended> ended_;
  std::optional<wire::Crashed> crash_;
  std::vector<std::string> trace_;
};

}  // namespace espalier::supervisor
