#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace espalier::supervisor {

/// For people; an object of JSON a line; or for journald: the priority first, and no time, which it
/// has itself.
enum class LogFormat : std::uint8_t { text, json, journald };

/// So many lines of one kind within a window. 0 lines: no limit.
struct LogRate {
  std::uint32_t lines = 0;
  Duration window = std::chrono::seconds{10};
};

struct LogSinkOptions {
  LogFormat format = LogFormat::text;
  LogRate event_rate = {};     ///< Of one type of event at one path.
  LogRate output_rate = {};    ///< Of what one child writes.
  std::string target_id = {};  ///< Of this tree; stands in each line of JSON, unless empty.
};

/// Turns events and captured output into log lines of any spdlog logger, the user's own included.
/// Fields: path, generation, attempt, correlation_id, system "cpp"; output also stream. Texts
/// longer than 8 KiB are cut.
///
/// What comes too often is left out, and then one line says how many: with the first line that is
/// logged after the window, on `tick`, and at the end. Thread-safe; nothing that a logger throws
/// gets out.
class LogSink final : public EventSink, public OutputSink {
 public:
  LogSink(std::shared_ptr<spdlog::logger> logger, LogFormat format);
  LogSink(std::shared_ptr<spdlog::logger> logger, LogSinkOptions options);
  ~LogSink() override;
  void publish(const Event& event) override;
  void write(const OutputLine& line) override;

  /// Says what was left out in windows that are over. For whoever wants that to be said also when
  /// nothing else is logged; each second is often enough.
  void tick();
  /// Lines that were left out, ever.
  [[nodiscard]] std::uint64_t left_out_lines() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::supervisor
