#include "espalier/supervisor/observe/journal_file.hpp"

#include "espalier/supervisor/observe/internal/event_queue.hpp"
#include "espalier/supervisor/observe/internal/journal_disk.hpp"
#include "espalier/supervisor/observe/internal/journal_writer.hpp"
#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::supervisor {
namespace {

TimePoint now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

class JournalFile::Impl {
 public:
  Impl(JournalSpec spec, Tell tell, std::shared_ptr<internal::JournalDisk> disk)
      : writer_(std::move(spec), std::move(disk), std::move(tell)) {
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
  [[nodiscard]] Stats stats() const { return {written_, lost_, failing_}; }

 private:
  void run() {
    writer_.start(now());
    for (;;) {
      note_stats();
      const auto wish = queue_.wait(writer_.next_look(), writer_.is_failing());
      if (writer_.is_failing()) {
        const bool due = wish.urgent || now() >= writer_.next_look();
        if (due && !come_back()) {
          queue_.refuse_flush();
          if (wish.closing) break;
        }
        continue;
      }
      if (wish.take) write_batch();
      if (!wish.take && wish.closing) break;
      writer_.keep_house(now());
    }
    writer_.finish(queue_.drop_all());
    note_stats();
  }

  void note_stats() {
    written_ = writer_.events_written();
    lost_ = writer_.events_lost();
    failing_ = writer_.is_failing();
  }

  bool come_back() {
    if (!writer_.come_back(now())) return false;
    write_batch();
    return !writer_.is_failing();
  }

  void write_batch() {
    if (!writer_.is_ready(now())) return;  // The events wait.
    std::vector<Event> batch;
    const auto missing = queue_.take(batch);
    const bool written = writer_.write(batch, missing, now());
    queue_.done(batch.size(), !written);
  }

  internal::JournalWriter writer_;  ///< Only the thread's.
  internal::EventQueue queue_;
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
  std::atomic<bool> failing_ = false;
  std::thread thread_;
};

expected<std::shared_ptr<JournalFile>, std::string> JournalFile::start(
    JournalSpec spec, Tell tell, std::shared_ptr<internal::JournalDisk> disk) {
  if (!disk) disk = internal::disk_of(spec.folder);
  try {
    return std::shared_ptr<JournalFile>{
        new JournalFile{std::make_unique<Impl>(std::move(spec), std::move(tell), std::move(disk))}};
  } catch (const std::system_error& error) {
    return unexpected<std::string>{"cannot start a thread for the journal: " +
                                   error.code().message() + "; raise the limit of threads"};
  }
}

JournalFile::JournalFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JournalFile::~JournalFile() = default;
void JournalFile::publish(const Event& event) {
  impl_->publish(event);
}
bool JournalFile::flush() {
  return impl_->flush();
}
JournalFile::Stats JournalFile::stats() const {
  return impl_->stats();
}

}  // namespace espalier::supervisor
