#pragma once

#include "espalier/pipeline/core/item.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"
#include "espalier/supervisor/process/launch_plan.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace espalier::pipeline::internal {

using supervisor::UniqueFd;

/// A command with its three streams, the leader of a process group of its own.
///
/// It is asked with `exchange`, by one thread at a time. When its group's leader has ended, what is
/// left of the group is killed. It is also killed when the thread that started it ends.
class CommandProcess {
 public:
  /// Otherwise why there is no process.
  [[nodiscard]] static expected<std::unique_ptr<CommandProcess>, std::string> start(
      const supervisor::LaunchPlan& plan, const supervisor::ProcessSpec& spec, Duration kill_after);
  /// Says that there is no more input and waits for the end; then the stop signal, then SIGKILL,
  /// each after `kill_after`.
  ~CommandProcess();
  CommandProcess(const CommandProcess&) = delete;
  CommandProcess& operator=(const CommandProcess&) = delete;

  enum class Until : std::uint8_t {
    line,  ///< The answer is one line; the process goes on.
    end,   ///< The answer is all it writes until it ends; its input ends with what is sent.
  };
  struct Answer {
    enum class Kind : std::uint8_t {
      line,      ///< `out` is it, without its newline.
      ended,     ///< `out` is what it wrote; see `exit_status`.
      stopped,   ///< By the stop token; the process is gone.
      too_long,  ///< More than `largest_answer`; the process is gone.
      chatty,    ///< More than one line to one line; the process is gone.
    };
    Kind kind = Kind::ended;
    std::string out = {};
  };
  static constexpr std::size_t largest_answer = 64U << 20U;

  /// Sends `input` and waits for the answer. Does not throw on a fault of the process.
  [[nodiscard]] Answer exchange(std::string_view input, Until until, const std::stop_token& stop);
  /// It lives, and has written nothing it was not asked for.
  [[nodiscard]] bool is_idle();
  /// The end of its input, without waiting.
  void close_input() { in_.reset(); }

  [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }
  /// "exit code 3", "killed by signal 9 (Killed)".
  [[nodiscard]] std::string exit_status() const;
  /// The last lines of its standard error since the last call.
  [[nodiscard]] std::string take_last_words();

 private:
  CommandProcess() = default;
  class Exchange;
  void signal_group(int number) const;
  /// Waits for the leader; false: not within `limit`.
  [[nodiscard]] bool wait_for_end(Duration limit) const;
  void reap();

  UniqueFd in_;
  UniqueFd out_;
  UniqueFd err_;
  UniqueFd pidfd_;
  UniqueFd wake_;  ///< An eventfd that a stop request writes to.
  pid_t pid_ = -1;
  int stop_signal_ = 15;
  Duration kill_after_ = {};
  std::optional<int> exit_code_ = {};
  int signal_ = 0;
  std::string err_tail_ = {};
};

}  // namespace espalier::pipeline::internal
