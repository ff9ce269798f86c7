#include "espalier/supervisor/observe/log_sink.hpp"

#include "espalier/supervisor/core/trace_id.hpp"
#include "espalier/supervisor/observe/internal/line_limiter.hpp"
#include "espalier/supervisor/observe/internal/log_words.hpp"
#include "espalier/supervisor/observe/json_object.hpp"
#include "espalier/supervisor/observe/json_text.hpp"

#include <spdlog/logger.h>

#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::supervisor {
namespace {

using internal::LineLimiter;
using json::JsonObject;
using SystemTime = std::chrono::system_clock::time_point;

constexpr std::size_t longest_text = 8192;  // journald takes a line of 48 KiB, with escapes.
constexpr char between = '\n';              // No type and no path has it.

TimePoint now() {
  return std::chrono::steady_clock::now();
}

/// No character is cut in two: what is left of one would be shown as damage.
std::string_view shortened(std::string_view text) {
  if (text.size() <= longest_text) return text;
  auto end = longest_text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return text.substr(0, end);
}

void append_cut(std::string& out, std::string_view text, bool was_cut = false) {
  const auto shown = shortened(text);
  json::append_printable(out, shown);
  if (was_cut || shown.size() < text.size()) out += " [cut]";
}

void begin_json(JsonObject& json, SystemTime at, Severity severity, const std::string& target_id) {
  json.time("at", at);
  json.text("severity", to_string(severity));
  json.text("system", "cpp");
  if (!target_id.empty()) json.text("target_id", target_id);
}

void append_event_json(std::string& out, const Event& event, const std::string& target_id) {
  const auto message = describe(event.body, event.path);
  JsonObject json{out};
  begin_json(json, event.at, severity_of(event.body), target_id);
  json.text("type", type_name(event.body));
  json.text("path", shortened(event.path));
  if (event.generation != 0) json.number("generation", event.generation);
  if (event.attempt != 0) json.number("attempt", event.attempt);
  json::add_correlation(json, event);
  if (message.size() > longest_text) json.flag("truncated", true);
  json.text("message", shortened(message));
}

void append_event_text(std::string& out, const Event& event) {
  append_cut(out, event.path);
  out += ' ';
  append_cut(out, describe(event.body, event.path));
}

// What stands in fields elsewhere stands in the text here: journald has no other place for it.
void append_event_fields(std::string& out, const Event& event) {
  out += std::string{" type="} + type_name(event.body);
  if (event.generation != 0) out += " generation=" + std::to_string(event.generation);
  if (event.attempt != 0) out += " attempt=" + std::to_string(event.attempt);
  if (event.cause.correlation == 0) return;
  out += " correlation_id=";
  append_hex(out, trace_id_of(event.epoch, event.cause.correlation));
}

void append_output_json(std::string& out, const OutputLine& line, SystemTime at,
                        const std::string& target_id) {
  JsonObject json{out};
  begin_json(json, at, Severity::info, target_id);
  json.text("path", shortened(line.path));
  if (line.generation != 0) json.number("generation", line.generation);
  json.text("stream", line.is_stderr ? "stderr" : "stdout");
  if (line.truncated || line.text.size() > longest_text) json.flag("truncated", true);
  json.text("message", shortened(line.text));
}

void append_output_text(std::string& out, const OutputLine& line) {
  append_cut(out, line.path);
  out += line.is_stderr ? " stderr: " : " stdout: ";
  append_cut(out, line.text, line.truncated);
}

}  // namespace

class LogSink::Impl {
 public:
  Impl(std::shared_ptr<spdlog::logger> logger, LogSinkOptions options)
      : logger_(std::move(logger)),
        options_(std::move(options)),
        events_(options_.event_rate.lines, options_.event_rate.window),
        output_(options_.output_rate.lines, options_.output_rate.window) {}

  void publish(const Event& event) {
    const auto severity = severity_of(event.body);
    if (!logger_->should_log(internal::level_of(severity))) return;
    if (options_.event_rate.lines != 0 &&
        !passes(events_, std::string{type_name(event.body)} + between + event.path, severity)) {
      return;
    }
    std::string text;
    if (is_json()) {
      append_event_json(text, event, options_.target_id);
    } else {
      append_event_text(text, event);
      if (options_.format == LogFormat::journald) append_event_fields(text, event);
    }
    log(event.at, severity, text);
  }

  void write(const OutputLine& line) {
    if (!logger_->should_log(spdlog::level::info)) return;
    if (options_.output_rate.lines != 0 && !passes(output_, line.path, Severity::info)) return;
    const auto at = std::chrono::system_clock::now();
    std::string text;
    is_json() ? append_output_json(text, line, at, options_.target_id)
              : append_output_text(text, line);
    log(at, Severity::info, text);
  }

  /// Of windows that are over by then.
  void tell_left_out(TimePoint until) {
    std::vector<LineLimiter::LeftOut> events;
    std::vector<LineLimiter::LeftOut> output;
    {
      const std::scoped_lock lock{mutex_};
      events = events_.take_ended(until);
      output = output_.take_ended(until);
    }
    for (const auto& kind : events) {
      const auto end = kind.kind.find(between);
      tell(kind, kind.kind.substr(0, end),
           end == std::string::npos ? "" : kind.kind.substr(end + 1));
    }
    for (const auto& kind : output)
      tell(kind, kind.kind.empty() ? "" : "output", kind.kind);
  }

  std::uint64_t left_out() const {
    const std::scoped_lock lock{mutex_};
    return events_.left_out() + output_.left_out();
  }

 private:
  [[nodiscard]] bool is_json() const { return options_.format == LogFormat::json; }

  bool passes(LineLimiter& limiter, const std::string& kind, Severity severity) {
    const auto at = now();
    bool passes = false;
    {
      const std::scoped_lock lock{mutex_};
      passes = limiter.passes(kind, severity, at);
    }
    if (passes) tell_left_out(at);
    return passes;
  }

  void tell(const LineLimiter::LeftOut& left_out, const std::string& type,
            const std::string& path) {
    const auto at = std::chrono::system_clock::now();
    const auto what = type.empty() ? std::string{"of many kinds"} : type + ", " + path;
    const auto message = std::to_string(left_out.lines) +
                         (left_out.lines == 1 ? " more line like this was left out ("
                                              : " more lines like this were left out (") +
                         what + ")";
    std::string text;
    if (is_json()) {
      JsonObject json{text};
      begin_json(json, at, left_out.worst, options_.target_id);
      json.text("type", "lines_left_out");
      json.text("of_type", type);
      json.text("path", shortened(path));
      json.number("lines", left_out.lines);
      json.text("message", shortened(message));
    } else {
      append_cut(text, message);
    }
    log(at, left_out.worst, text);
  }

  void log(SystemTime at, Severity severity, const std::string& text) {
    logger_->log(at, is_json() ? internal::ready_mark() : spdlog::source_loc{},
                 internal::level_of(severity), spdlog::string_view_t{text.data(), text.size()});
  }

  std::shared_ptr<spdlog::logger> logger_;
  LogSinkOptions options_;
  mutable std::mutex mutex_;  ///< Of the two limiters.
  LineLimiter events_;
  LineLimiter output_;
};

LogSink::LogSink(std::shared_ptr<spdlog::logger> logger, LogFormat format)
    : LogSink(std::move(logger), LogSinkOptions{.format = format}) {}

LogSink::LogSink(std::shared_ptr<spdlog::logger> logger, LogSinkOptions options)
    : impl_(std::make_unique<Impl>(std::move(logger), std::move(options))) {}

// Logging must never end a tree: what a logger of the user's or the allocator throws is dropped
// with the line.
LogSink::~LogSink() {
  try {
    impl_->tell_left_out(TimePoint::max());
  } catch (...) {
  }
}

void LogSink::publish(const Event& event) {
  try {
    impl_->publish(event);
  } catch (...) {
  }
}

void LogSink::write(const OutputLine& line) {
  try {
    impl_->write(line);
  } catch (...) {
  }
}

void LogSink::tick() {
  try {
    impl_->tell_left_out(now());
  } catch (...) {
  }
}

std::uint64_t LogSink::left_out_lines() const {
  return impl_->left_out();
}

}  // namespace espalier::supervisor
