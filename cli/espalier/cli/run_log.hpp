#pragma once

#include "espalier/cli/run_command.hpp"
#include "espalier/supervisor/config/tree_config.hpp"
#include "espalier/supervisor/observe/log_output.hpp"
#include "espalier/supervisor/observe/log_sink.hpp"

#include <spdlog/logger.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace espalier::cli {

/// The log of `run`, as observability.logs and the command line want it: what the tree tells, what
/// its children write, and what the program has to say of itself.
///
/// Thread-safe but for `open` and `close`, which come first and last.
class RunLog {
 public:
  /// Nothing is written before `open`.
  RunLog(const supervisor::TreeConfig& config, const RunOptions& options);

  /// `screen_is_taken`: nothing may be written to standard error. The sentence says why the file
  /// cannot be opened.
  [[nodiscard]] std::optional<std::string> open(bool screen_is_taken);
  /// What takes events and output; nothing where there is no log.
  [[nodiscard]] const std::shared_ptr<supervisor::LogSink>& sink() const { return sink_; }
  void note(supervisor::Severity severity, const std::string& text) const;
  /// Opens the file anew, for whoever has moved it away.
  void reopen();
  /// Says what was left out for coming too often; from time to time.
  void tick();
  /// Writes out what waits.
  void close();

  /// Of what the program writes to standard error beside the log.
  [[nodiscard]] supervisor::LogFormat format() const { return format_; }
  /// Lines that could not be written, and lines that were left out for coming too often.
  [[nodiscard]] std::uint64_t lost_lines() const;
  [[nodiscard]] std::uint64_t left_out_lines() const;

 private:
  supervisor::LogSpec spec_;
  supervisor::LogFormat format_;
  supervisor::LogOptions to_;
  supervisor::LogSinkOptions lines_;
  std::optional<supervisor::LogOutput> output_;
  std::shared_ptr<supervisor::LogSink> sink_;
};

}  // namespace espalier::cli
