#pragma once

#include "espalier/supervisor/core/event.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace espalier::supervisor {

enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
  LogFormat format = LogFormat::text;
  Severity level = Severity::info;
  bool color = false;  ///< Text only.
};

/// A logger of ours on standard error: asynchronous, human text or JSON lines.
[[nodiscard]] std::shared_ptr<spdlog::logger> make_stderr_logger(const LogOptions& options);

/// Turns events and captured output into log lines of any spdlog logger, the user's own included.
/// Fields: path, generation, attempt, correlation_id, system "cpp"; output also stream.
class LogSink final : public EventSink, public OutputSink {
 public:
  LogSink(std::shared_ptr<spdlog::logger> logger, LogFormat format);
  void publish(const Event& event) override;
  void write(const OutputLine& line) override;

 private:
  std::shared_ptr<spdlog::logger> logger_;
  LogFormat format_;
};

}  // namespace espalier::supervisor
