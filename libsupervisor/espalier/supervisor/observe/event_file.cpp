#include "espalier/supervisor/observe/event_file.hpp"

#include "espalier/supervisor/observe/event_json.hpp"
#include "espalier/supervisor/observe/json_object.hpp"
#include "espalier/supervisor/observe/internal/line_file.hpp"
#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::supervisor {
namespace {

using internal::Gap;
using json::JsonObject;

constexpr std::size_t queue_capacity = 16384;                // Events waiting for the disk.
constexpr std::size_t write_size = std::size_t{256} * 1024;  // Bytes collected for one write.

std::string cannot_write(const std::string& path, int error) {
  return "cannot write events to \"" + path + "\": " + std::generic_category().message(error) +
         "; name a file in a folder that exists and may be written, or - for standard output";
}

// Not an event of the tree, so it has no number of its own: it stands where the last of those
// that are missing would have stood.
void append_lagged(std::string& out, const Gap& gap, std::uint64_t epoch) {
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  JsonObject json{out};
  json.text("type", "subscriber_lagged");
  json.number("sequence", gap.to);
  json.number("epoch", epoch);
  json.time("at", std::chrono::system_clock::now());
  json.number("monotonic_ns", std::chrono::nanoseconds{monotonic}.count());
  json.text("path", "/");
  json.text("severity", to_string(Severity::warning));
  json.number("dropped", gap.dropped);
  json.number("from", gap.from);
  json.number("to", gap.to);
}

}  // namespace

class EventFile::Impl {
 public:
  explicit Impl(int fd) : file_(fd) {
    const internal::SignalsBlocked blocked;
    thread_ = std::thread{[this] { run(); }};
  }
  ~Impl() {
    {
      const std::scoped_lock lock{mutex_};
      closing_ = true;
    }
    wake_writer_.notify_one();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void publish(const Event& event) {
    {
      const std::scoped_lock lock{mutex_};
      if (queue_.size() >= queue_capacity) {
        missing_.add({1, event.sequence, event.sequence});
        return;
      }
      queue_.push_back(event);
      ++accepted_;
    }
    wake_writer_.notify_one();
  }

  bool flush() {
    std::unique_lock lock{mutex_};
    const auto target = accepted_;
    wake_flushers_.wait(lock, [&] { return handled_ >= target; });
    return !failed_;
  }

 private:
  void run() {
    std::vector<Event> batch;
    std::unique_lock lock{mutex_};
    for (;;) {
      wake_writer_.wait(lock, [&] { return closing_ || !queue_.empty(); });
      if (queue_.empty() && closing_) break;
      batch.swap(queue_);
      const auto missing = std::exchange(missing_, {});
      lock.unlock();
      const auto lost = write(batch, missing);
      lock.lock();
      missing_.add(lost);
      failed_ = failed_ || lost.dropped != 0;
      handled_ += batch.size();
      batch.clear();
      wake_flushers_.notify_all();
    }
    // The last chance to say what is missing; if this fails too, nobody can be told.
    if (missing_.dropped != 0) static_cast<void>(write({}, missing_));
  }

  // What was missing before the batch was taken had found the queue full, so its place is after
  // the batch; what an earlier write lost belongs there no less: it is told as soon as possible.
  Gap write(const std::vector<Event>& batch, const Gap& missing) {
    Gap lost;
    for (const auto& event : batch) {
      epoch_ = event.epoch;
      append_json(file_.buffer(), event);
      file_.end_line({1, event.sequence, event.sequence});
      if (file_.buffered() >= write_size) lost.add(file_.write());
    }
    if (missing.dropped != 0) {
      append_lagged(file_.buffer(), missing, epoch_);
      file_.end_line(missing);
    }
    lost.add(file_.write());
    return lost;
  }

  internal::LineFile file_;  // This and epoch_: only the writer's thread.
  std::uint64_t epoch_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_writer_;
  std::condition_variable wake_flushers_;
  std::vector<Event> queue_ = {};
  Gap missing_ = {};
  std::uint64_t accepted_ = 0;
  std::uint64_t handled_ = 0;
  bool failed_ = false;
  bool closing_ = false;
  std::thread thread_;
};

expected<std::shared_ptr<EventFile>, std::string> EventFile::open(const std::string& path) {
  const int fd = path == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                             : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return unexpected<std::string>{cannot_write(path, errno)};
  try {
    return std::shared_ptr<EventFile>{new EventFile{std::make_unique<Impl>(fd)}};
  } catch (const std::system_error& error) {  // No thread is to be had; Impl has closed the file.
    return unexpected<std::string>{cannot_write(path, error.code().value())};
  }
}

EventFile::EventFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventFile::~EventFile() = default;
void EventFile::publish(const Event& event) {
  impl_->publish(event);
}
bool EventFile::flush() {
  return impl_->flush();
}

}  // namespace espalier::supervisor
