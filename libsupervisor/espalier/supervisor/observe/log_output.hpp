#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/observe/log_sink.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace espalier::supervisor {

struct LogOptions {
  LogFormat format = LogFormat::text;
  Severity level = Severity::info;
  bool color = false;     ///< Text only.
  std::string file = {};  ///< Appended to; empty: standard error.
};

/// Whether what is written to this descriptor is read by journald, as the service manager says in
/// JOURNAL_STREAM.
[[nodiscard]] bool is_read_by_journald(int fd);

/// A log of ours: a logger that writes to standard error or to a file.
///
/// Who logs never waits. Lines that find no room, because the log is full, slow or read by nobody,
/// are counted, and the log says where how many are missing; while it cannot be written at all,
/// standard error says so now and then. Each message is one line, whatever stands in it.
///
/// Thread-safe; copies are the same log. It is written out when the last copy and the last holder
/// of the logger are gone; for a reader that takes nothing that waits two seconds.
class LogOutput {
 public:
  /// The sentence says why the file cannot be opened, and what to do.
  [[nodiscard]] static expected<LogOutput, std::string> open(const LogOptions& options);

  [[nodiscard]] const std::shared_ptr<spdlog::logger>& logger() const { return logger_; }
  /// Opens the file anew, for whoever has moved it away. Returns at once. Where it cannot be opened
  /// it goes on in the old one and says so there. Standard error stays as it is.
  void reopen();
  /// Lines that were not written, ever.
  [[nodiscard]] std::uint64_t lost_lines() const;

 private:
  class Sink;
  explicit LogOutput(std::shared_ptr<Sink> sink);
  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace espalier::supervisor
