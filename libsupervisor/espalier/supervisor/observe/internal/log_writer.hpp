#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace espalier::supervisor::internal {

/// Lines on their way to the descriptor of a log, through a bounded queue and a thread of its own.
///
/// The problem: a log may be full, slow, or read by nobody, and whoever logs must not hear of it.
/// So `push` never waits; a line that finds no room, or cannot be written, is counted, and the log
/// itself says how many are missing, at the place where they are missing. Half a line is ended
/// before the next one begins.
///
/// Thread-safe. The end writes what is queued, but waits for no reader longer than two seconds.
class LogWriter {
 public:
  struct Target {
    UniqueFd fd = {};
    bool torn = false;  ///< It ends in the middle of a line.
  };
  struct Options {
    /// Opens it anew, or says why not; empty: it cannot be opened anew.
    std::function<expected<Target, std::string>()> open = {};
    /// A line about the log itself, with its newline.
    std::function<std::string(Severity, const std::string&)> own_line = {};
    /// Hears of lines that are lost, now and then, while they are; on the thread of the writer.
    std::function<void(const std::string&)> complain = {};
  };

  LogWriter(Target target, Options options);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// A line with its newline.
  void push(std::string_view line);
  /// Soon; what comes of it is said in the log.
  void reopen();
  /// Until all that was pushed is written or lost, or the time is over.
  void flush(Duration limit);
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  void run();
  void open_anew();
  void write_all_of(std::string_view lines);
  void tell_loss(std::uint64_t count, const std::string& why);
  [[nodiscard]] std::size_t put(std::string_view bytes);
  [[nodiscard]] std::size_t write_some(std::string_view bytes);
  [[nodiscard]] bool is_writable();

  // Only the thread's.
  Target target_;
  bool is_file_ = false;
  Options options_;
  std::uint64_t failed_ = 0;  ///< Lines that could not be written, not yet named in the log.
  std::string why_ = {};      ///< Of the last failure.
  TimePoint complain_at_ = {};
  TimePoint give_up_at_ = {};

  std::atomic<std::uint64_t> lost_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_writer_;
  std::condition_variable wake_flushers_;
  std::string queue_ = {};
  std::uint64_t no_room_ = 0;  ///< Lines since the last ones were taken.
  std::uint64_t pushed_ = 0;   ///< Bytes, ever.
  std::uint64_t done_ = 0;     ///< Of those, written or lost.
  bool reopen_ = false;
  std::atomic<bool> closing_ = false;
  std::thread thread_;
};

}  // namespace espalier::supervisor::internal
