#include "espalier/supervisor/observe/log_output.hpp"

#include "espalier/supervisor/observe/internal/log_words.hpp"
#include "espalier/supervisor/observe/internal/log_writer.hpp"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

namespace espalier::supervisor {
namespace {

using internal::LogWriter;
using Target = LogWriter::Target;

constexpr mode_t file_mode = 0640;
constexpr Duration flush_limit = std::chrono::seconds{2};

// Whoever was killed in the middle of a line has left half of one.
bool ends_in_a_line(const std::string& path) {
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  struct stat info = {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return true;
  char last = '\n';
  return info.st_size == 0 || ::pread(file.get(), &last, 1, info.st_size - 1) != 1 || last == '\n';
}

// Non-blocking: a pipe that nobody reads is an error, and no place to wait in.
expected<Target, std::string> open_file(const std::string& path) {
  UniqueFd fd{::open(path.c_str(),
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, file_mode)};
  if (!fd) {
    return unexpected<std::string>{"cannot open the log \"" + path +
                                   "\": " + std::generic_category().message(errno) +
                                   "; name a file that may be written, in a folder that exists, in "
                                   "observability.logs.file"};
  }
  return Target{std::move(fd), !ends_in_a_line(path)};
}

expected<Target, std::string> target_of(const LogOptions& options) {
  if (!options.file.empty()) return open_file(options.file);
  UniqueFd fd{::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)};
  if (!fd && errno == EBADF) {  // It is closed. Nothing of ours may get its number.
    const UniqueFd nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    fd = UniqueFd{::fcntl(nowhere.get(), F_DUPFD_CLOEXEC, 3)};
  }
  if (fd) return Target{std::move(fd), false};
  return unexpected<std::string>{
      "cannot write the log to standard error: " + std::generic_category().message(errno) +
      "; name a file in observability.logs.file"};
}

const char* color_of(spdlog::level::level_enum level) {
  switch (internal::severity_of_level(level)) {
    case Severity::error:
      return "\x1b[31m\x1b[1m";
    case Severity::warning:
      return "\x1b[33m\x1b[1m";
    case Severity::info:
      return "\x1b[32m";
    case Severity::debug:
      return "\x1b[36m";
  }
  return "";
}

LogWriter::Options writer_options(const LogOptions& options) {
  LogWriter::Options out;
  out.own_line = [format = options.format](Severity severity, const std::string& text) {
    return internal::own_line(format, severity, text, std::chrono::system_clock::now());
  };
  if (options.file.empty()) {
    out.complain = [](const std::string&) {};  // There is nowhere else to say it.
    return out;
  }
  out.open = [path = options.file] { return open_file(path); };
  out.complain = [path = options.file](const std::string& why) {
    std::fprintf(stderr, "espalier: lines of the log \"%s\" are lost: %s\n", path.c_str(),
                 why.c_str());
  };
  return out;
}

}  // namespace

class LogOutput::Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  Sink(Target target, const LogOptions& options)
      : base_sink(internal::make_formatter(options.format)),
        colored_(options.color && options.format == LogFormat::text),
        writer(std::move(target), writer_options(options)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!colored_ || message.color_range_end <= message.color_range_start) {
      writer.push({line.data(), line.size()});
      return;
    }
    std::string text{line.data(), line.size()};
    text.insert(message.color_range_end, "\x1b[m");
    text.insert(message.color_range_start, color_of(message.level));
    writer.push(text);
  }
  void flush_() override { writer.flush(flush_limit); }

  bool colored_;

 public:
  LogWriter writer;
};

expected<LogOutput, std::string> LogOutput::open(const LogOptions& options) {
  auto target = target_of(options);
  if (!target) return unexpected<std::string>{target.error()};
  try {
    LogOutput output{std::make_shared<Sink>(std::move(*target), options)};
    output.logger_->set_level(internal::level_of(options.level));
    return output;
  } catch (const std::system_error& error) {
    return unexpected<std::string>{"cannot start a thread for the log: " + error.code().message() +
                                   "; raise the limit of threads"};
  }
}

LogOutput::LogOutput(std::shared_ptr<Sink> sink)
    : sink_(std::move(sink)), logger_(std::make_shared<spdlog::logger>("espalier", sink_)) {}

void LogOutput::reopen() {
  sink_->writer.reopen();
}

std::uint64_t LogOutput::lost_lines() const {
  return sink_->writer.lost();
}

bool is_read_by_journald(int fd) {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat info = {};
  if (stream == nullptr || ::fstat(fd, &info) != 0) return false;
  return stream == std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
}

}  // namespace espalier::supervisor
