#include "espalier/supervisor/observe/event_file.hpp"

#include "espalier/supervisor/observe/event_json.hpp"
#include "espalier/supervisor/observe/internal/event_queue.hpp"
#include "espalier/supervisor/observe/internal/line_file.hpp"
#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::supervisor {
namespace {

using internal::Gap;

constexpr std::size_t write_size = std::size_t{256} * 1024;  // Bytes collected for one write.

std::string cannot_write(const std::string& path, int error) {
  return "cannot write events to \"" + path + "\": " + std::generic_category().message(error) +
         "; name a file in a folder that exists and may be written, or - for standard output";
}

}  // namespace

class EventFile::Impl {
 public:
  explicit Impl(int fd) : file_(fd) {
    const internal::SignalsBlocked blocked;
    thread_ = std::thread{[this] { run(); }};
  }
  ~Impl() {
    queue_.close();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void publish(const Event& event) { queue_.push(event); }
  bool flush() { return queue_.flush(); }

 private:
  void run() {
    std::vector<Event> batch;
    for (;;) {
      const auto wish = queue_.wait({}, false);
      if (!wish.take && wish.closing) break;
      missing_.add(queue_.take(batch));
      missing_ = write(batch, std::exchange(missing_, {}));
      queue_.done(batch.size(), missing_.dropped != 0);
      batch.clear();
    }
    // The last chance to say what is missing; if this fails too, nobody can be told.
    missing_.add(queue_.take_missing());
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
      internal::append_lagged(file_.buffer(), missing, epoch_);
      file_.end_line(missing);
    }
    lost.add(file_.write());
    return lost;
  }

  internal::LineFile file_;  // All but the queue: only the writer's thread.
  internal::Gap missing_ = {};
  std::uint64_t epoch_ = 0;
  internal::EventQueue queue_;
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
