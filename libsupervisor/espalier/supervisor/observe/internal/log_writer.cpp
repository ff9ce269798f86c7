#include "espalier/supervisor/observe/internal/log_writer.hpp"

#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace espalier::supervisor::internal {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t capacity = std::size_t{4} << 20U;  // Bytes that wait.
constexpr std::size_t piece = 4096;                      // A pipe with room takes it at once.
constexpr std::size_t file_piece = std::size_t{256} * 1024;
constexpr int look_around_ms = 100;
constexpr Duration last_moment = 2s;
constexpr Duration complaint_interval = 10s;

TimePoint now() {
  return std::chrono::steady_clock::now();
}

bool is_regular(int fd) {
  struct stat info = {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

std::string lines_lost(std::uint64_t count, const std::string& why) {
  return std::to_string(count) + (count == 1 ? " line of this log is" : " lines of this log are") +
         " missing here: " + why;
}

}  // namespace

LogWriter::LogWriter(Target target, Options options)
    : target_(std::move(target)),
      is_file_(is_regular(target_.fd.get())),
      options_(std::move(options)) {
  const SignalsBlocked blocked;
  thread_ = std::thread{[this] { run(); }};
}

LogWriter::~LogWriter() {
  {
    const std::scoped_lock lock{mutex_};
    closing_ = true;
  }
  wake_writer_.notify_one();
  thread_.join();
}

void LogWriter::push(std::string_view line) {
  {
    const std::scoped_lock lock{mutex_};
    if (queue_.size() + line.size() > capacity) {
      ++no_room_;
      ++lost_;
      return;
    }
    queue_ += line;
    pushed_ += line.size();
  }
  wake_writer_.notify_one();
}

void LogWriter::reopen() {
  {
    const std::scoped_lock lock{mutex_};
    reopen_ = true;
  }
  wake_writer_.notify_one();
}

void LogWriter::flush(Duration limit) {
  std::unique_lock lock{mutex_};
  const auto target = pushed_;
  wake_flushers_.wait_for(lock, limit, [&] { return done_ >= target; });
}

void LogWriter::run() {
  std::string lines;
  std::unique_lock lock{mutex_};
  for (;;) {
    wake_writer_.wait(lock,
                      [&] { return closing_ || reopen_ || no_room_ != 0 || !queue_.empty(); });
    const bool ends = closing_ && queue_.empty() && no_room_ == 0;
    const bool anew = std::exchange(reopen_, false);
    lines.clear();
    lines.swap(queue_);
    const auto no_room = std::exchange(no_room_, 0);
    lock.unlock();
    if (anew) open_anew();
    write_all_of(lines);
    if (no_room != 0) tell_loss(no_room, "it is written slower than lines come");
    if (ends) return;
    lock.lock();
    done_ += lines.size();
    wake_flushers_.notify_all();
  }
}

void LogWriter::open_anew() {
  if (!options_.open) return;
  auto opened = options_.open();
  if (!opened) {
    write_all_of(
        options_.own_line(Severity::error, opened.error() + "; it goes on in the old one"));
    return;
  }
  target_ = std::move(*opened);
  is_file_ = is_regular(target_.fd.get());
}

void LogWriter::write_all_of(std::string_view lines) {
  if (failed_ != 0) tell_loss(std::exchange(failed_, 0), why_);
  const auto rest = lines.substr(put(lines));
  const auto lost = static_cast<std::uint64_t>(std::count(rest.begin(), rest.end(), '\n'));
  if (lost == 0) return;
  lost_ += lost;
  failed_ += lost;
  if (now() < complain_at_) return;
  complain_at_ = now() + complaint_interval;
  options_.complain(why_);
}

void LogWriter::tell_loss(std::uint64_t count, const std::string& why) {
  const auto line = options_.own_line(Severity::warning, lines_lost(count, why));
  if (put(line) != line.size()) failed_ += count;
}

// Answers with how many of the bytes were written; `why_` has the reason where that is not all.
std::size_t LogWriter::put(std::string_view bytes) {
  if (target_.torn && write_some("\n") == 1) target_.torn = false;
  std::size_t done = 0;
  while (!target_.torn && done < bytes.size()) {
    const auto written = write_some(bytes.substr(done));
    if (written == 0) break;
    done += written;
  }
  if (done != 0) target_.torn = bytes[done - 1] != '\n';
  return done;
}

std::size_t LogWriter::write_some(std::string_view bytes) {
  for (;;) {
    if (!is_file_ && !is_writable()) {
      why_ = "nobody reads it";
      return 0;
    }
    const auto size = std::min(bytes.size(), is_file_ ? file_piece : piece);
    const auto written = ::write(target_.fd.get(), bytes.data(), size);
    if (written > 0) return static_cast<std::size_t>(written);
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    why_ = std::generic_category().message(written < 0 ? errno : EIO);
    return 0;
  }
}

bool LogWriter::is_writable() {
  for (;;) {
    pollfd writable{target_.fd.get(), POLLOUT, 0};
    if (::poll(&writable, 1, look_around_ms) > 0) return true;
    if (!closing_) continue;
    if (give_up_at_ == TimePoint{}) give_up_at_ = now() + last_moment;
    if (now() >= give_up_at_) return false;
  }
}

}  // namespace espalier::supervisor::internal
