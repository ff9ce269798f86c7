#include "espalier/supervisor/observe/log_sink.hpp"

#include "espalier/supervisor/observe/json_object.hpp"
#include "espalier/supervisor/os/internal/signals_blocked.hpp"
#include "espalier/supervisor/observe/json_text.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <utility>

namespace espalier::supervisor {
namespace {

using json::add_correlation;
using json::JsonObject;

constexpr std::size_t queue_capacity = 4096;  // Lines waiting for standard error.
constexpr auto complaint_interval = std::chrono::seconds{10};

// Marks, as its source location, a message that is a JSON object already.
constexpr spdlog::source_loc json_mark{"", 0, "espalier.json"};

spdlog::level::level_enum level_of(Severity severity) {
  switch (severity) {
    case Severity::debug:
      return spdlog::level::debug;
    case Severity::info:
      return spdlog::level::info;
    case Severity::warning:
      return spdlog::level::warn;
    case Severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

Severity severity_of_level(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return Severity::error;
  if (level == spdlog::level::warn) return Severity::warning;
  return level == spdlog::level::info ? Severity::info : Severity::debug;
}

// Five letters each, so that what follows stands in one column.
class LevelName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    static constexpr const char* names[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    const auto severity = static_cast<std::size_t>(severity_of_level(message.level));
    out.append(names[severity], names[severity] + 5);
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelName>();
  }
};

// Lines that are JSON already pass; what a program itself logs becomes an object around it.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    if (message.source.funcname == json_mark.funcname) {
      out.append(message.payload.begin(), message.payload.end());
    } else {
      line_.clear();
      append_message(message);
      out.append(line_.data(), line_.data() + line_.size());
    }
    out.push_back('\n');
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }

 private:
  void append_message(const spdlog::details::log_msg& message) {
    JsonObject json{line_};
    json.time("at", message.time);
    json.text("severity", to_string(severity_of_level(message.level)));
    json.text("system", "cpp");
    json.text("message", {message.payload.data(), message.payload.size()});
  }

  std::string line_ = {};
};

std::unique_ptr<spdlog::formatter> make_formatter(LogFormat format) {
  if (format == LogFormat::json) return std::make_unique<JsonFormatter>();
  auto text = std::make_unique<spdlog::pattern_formatter>();
  text->add_flag<LevelName>('*').set_pattern("%H:%M:%S.%e %^%*%$ %v");
  return text;
}

// A full disk fails every line; one complaint in a while is enough.
class RareComplaint {
 public:
  void operator()(const std::string& why) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    auto next = next_->load();
    if (now.count() < next) return;
    if (!next_->compare_exchange_strong(next, (now + complaint_interval).count())) return;
    std::fprintf(stderr, "espalier: a log line was lost: %s\n", why.c_str());
  }

 private:
  std::shared_ptr<std::atomic<std::int64_t>> next_ = std::make_shared<std::atomic<std::int64_t>>(0);
};

// spdlog's asynchronous logger does not own the pool it writes with, and its registry of pools is
// a global. This owns both; the pool goes first, and writes out its queue before it does.
struct OwnedLogger {
  std::shared_ptr<spdlog::async_logger> logger = {};
  std::shared_ptr<spdlog::details::thread_pool> pool = {};
};

}  // namespace

std::shared_ptr<spdlog::logger> make_stderr_logger(const LogOptions& options) {
  using Sink = spdlog::sinks::ansicolor_stderr_sink_mt;
  const bool color = options.color && options.format == LogFormat::text;
  auto sink =
      std::make_shared<Sink>(color ? spdlog::color_mode::always : spdlog::color_mode::never);
  auto owned = std::make_shared<OwnedLogger>();
  {
    const internal::SignalsBlocked blocked;
    owned->pool = std::make_shared<spdlog::details::thread_pool>(queue_capacity, 1);
  }
  owned->logger = std::make_shared<spdlog::async_logger>(
      "espalier", std::move(sink), owned->pool, spdlog::async_overflow_policy::overrun_oldest);
  owned->logger->set_level(level_of(options.level));
  owned->logger->set_formatter(make_formatter(options.format));
  owned->logger->set_error_handler(RareComplaint{});
  auto* logger = owned->logger.get();
  return {std::move(owned), logger};
}

LogSink::LogSink(std::shared_ptr<spdlog::logger> logger, LogFormat format)
    : logger_(std::move(logger)), format_(format) {}

namespace {

void append_event_json(std::string& out, const Event& event) {
  JsonObject json{out};
  json.time("at", event.at);
  json.text("severity", to_string(severity_of(event.body)));
  json.text("system", "cpp");
  json.text("type", type_name(event.body));
  json.text("path", event.path);
  if (event.generation != 0) json.number("generation", event.generation);
  if (event.attempt != 0) json.number("attempt", event.attempt);
  add_correlation(json, event);
  json.text("message", describe(event.body, event.path));
}

void append_event_text(std::string& out, const Event& event) {
  json::append_printable(out, event.path);
  out += ' ';
  json::append_printable(out, describe(event.body, event.path));
}

void append_output_json(std::string& out, const OutputLine& line, const char* stream,
                        std::chrono::system_clock::time_point at) {
  JsonObject json{out};
  json.time("at", at);
  json.text("severity", to_string(Severity::info));
  json.text("system", "cpp");
  json.text("path", line.path);
  if (line.generation != 0) json.number("generation", line.generation);
  json.text("stream", stream);
  if (line.truncated) json.flag("truncated", true);
  json.text("message", line.text);
}

void append_output_text(std::string& out, const OutputLine& line, const char* stream) {
  json::append_printable(out, line.path);
  out += ' ';
  out += stream;
  out += ": ";
  json::append_printable(out, line.text);
  if (line.truncated) out += " [cut]";
}

void log_line(spdlog::logger& logger, std::chrono::system_clock::time_point at,
              spdlog::level::level_enum level, LogFormat format, const std::string& line) {
  const auto mark = format == LogFormat::json ? json_mark : spdlog::source_loc{};
  logger.log(at, mark, level, spdlog::string_view_t{line.data(), line.size()});
}

}  // namespace

// Logging must never end a tree: what a logger of the user's or the allocator throws is dropped
// with the line.
void LogSink::publish(const Event& event) {
  try {
    const auto level = level_of(severity_of(event.body));
    if (!logger_->should_log(level)) return;
    std::string line;
    format_ == LogFormat::json ? append_event_json(line, event) : append_event_text(line, event);
    log_line(*logger_, event.at, level, format_, line);
  } catch (...) {
  }
}

void LogSink::write(const OutputLine& line) {
  try {
    if (!logger_->should_log(spdlog::level::info)) return;
    const auto now = std::chrono::system_clock::now();
    const char* stream = line.is_stderr ? "stderr" : "stdout";
    std::string text;
    format_ == LogFormat::json ? append_output_json(text, line, stream, now)
                               : append_output_text(text, line, stream);
    log_line(*logger_, now, spdlog::level::info, format_, text);
  } catch (...) {
  }
}

}  // namespace espalier::supervisor
