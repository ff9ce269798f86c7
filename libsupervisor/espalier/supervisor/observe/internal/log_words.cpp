#include "espalier/supervisor/observe/internal/log_words.hpp"

#include "espalier/supervisor/observe/json_object.hpp"
#include "espalier/supervisor/observe/json_text.hpp"

#include <spdlog/pattern_formatter.h>

#include <array>
#include <cstddef>

namespace espalier::supervisor::internal {
namespace {

constexpr const char* mark = "espalier.ready";

// Five letters each, so that what follows stands in one column.
class LevelName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    static constexpr std::array names = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    const auto* const name = names.at(static_cast<std::size_t>(severity_of_level(message.level)));
    out.append(name, name + 5);
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelName>();
  }
};

class Message final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    text_.clear();
    json::append_printable(text_, {message.payload.data(), message.payload.size()});
    out.append(text_.data(), text_.data() + text_.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Message>();
  }

 private:
  std::string text_ = {};
};

// Priorities as in syslog: journald takes "<3>" at the begin of a line for one.
class Priority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    static constexpr std::array digits = {'7', '6', '4', '3'};
    out.push_back('<');
    out.push_back(digits.at(static_cast<std::size_t>(severity_of_level(message.level))));
    out.push_back('>');
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Priority>();
  }
};

// Lines that are JSON already pass; what a program itself logs becomes an object around it.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    if (message.source.funcname == mark) {
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
    json::JsonObject json{line_};
    json.time("at", message.time);
    json.text("severity", to_string(severity_of_level(message.level)));
    json.text("system", "cpp");
    json.text("message", {message.payload.data(), message.payload.size()});
  }

  std::string line_ = {};
};

}  // namespace

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

spdlog::source_loc ready_mark() {
  return {"", 0, mark};
}

std::unique_ptr<spdlog::formatter> make_formatter(LogFormat format) {
  if (format == LogFormat::json) return std::make_unique<JsonFormatter>();
  auto text = std::make_unique<spdlog::pattern_formatter>();
  text->add_flag<LevelName>('*').add_flag<Priority>('<').add_flag<Message>('>');
  text->set_pattern(format == LogFormat::journald ? "%<%>" : "%H:%M:%S.%e %^%*%$ %>");
  return text;
}

std::string own_line(LogFormat format, Severity severity, std::string_view text,
                     std::chrono::system_clock::time_point at) {
  spdlog::memory_buf_t line;
  make_formatter(format)->format(
      {at, {}, "espalier", level_of(severity), {text.data(), text.size()}}, line);
  return {line.data(), line.size()};
}

}  // namespace espalier::supervisor::internal
