#include "espalier/supervisor/observe/journal_file.hpp"

#include "espalier/supervisor/observe/event_json.hpp"
#include "espalier/supervisor/observe/internal/event_queue.hpp"
#include "espalier/supervisor/observe/internal/journal_store.hpp"
#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using internal::Gap;

constexpr Duration try_again_after = 1s;
constexpr Duration sync_after = 1s;
constexpr Duration tidy_after = 1min;

TimePoint now() {
  return std::chrono::steady_clock::now();
}

std::string events_missing(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " event is missing" : " events are missing");
}

}  // namespace

class JournalFile::Impl {
 public:
  Impl(JournalSpec spec, Tell tell)
      : spec_(std::move(spec)), tell_(std::move(tell)), store_(spec_) {
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
    tidy_at_ = now() + tidy_after;
    static_cast<void>(open());
    for (;;) {
      const auto wish = queue_.wait(next_look(), failing_);
      if (failing_ && (wish.urgent || now() >= try_again_at_) && !come_back()) {
        queue_.refuse_flush();
        if (wish.closing) break;
      }
      if (failing_) continue;
      if (wish.take) write_batch();
      if (!wish.take && wish.closing) break;
      keep_house();
    }
    say_last_words();
  }

  [[nodiscard]] TimePoint next_look() const {
    if (failing_) return try_again_at_;
    return sync_at_ ? std::min(*sync_at_, tidy_at_) : tidy_at_;
  }

  // Of what was found, only the first opening has something to tell: later ones find what a failed
  // write has left.
  bool open() {
    const auto opened = store_.open();
    if (!opened) {
      fail();
    } else if (!opened->empty() && !was_open_) {
      tell_(Severity::warning, "journal: " + *opened);
    }
    was_open_ = was_open_ || opened.has_value();
    return opened.has_value();
  }

  void fail() {
    sync_at_.reset();
    try_again_at_ = now() + try_again_after;
    if (std::exchange(failing_, true)) return;
    tell_(Severity::error, store_.problem() +
                               "; the tree goes on, and events wait and are then counted as "
                               "missing, until it can be written again");
  }

  // Only when all that waits is written there is room again.
  bool come_back() {
    if (!open()) return false;
    missing_.add(queue_.take_missing());
    if (missing_.dropped != 0 && !write_gap()) return false;
    write_batch();
    return !failing_;
  }

  void be_well() {
    failing_ = false;
    const auto lost = std::exchange(named_missing_, 0);
    tell_(Severity::info, "the journal in \"" + spec_.folder + "\" is written again; " +
                              (lost == 0 ? "no event is missing" : events_missing(lost)));
  }

  bool write_gap() {
    const auto gap = std::exchange(missing_, {});
    internal::append_lagged(store_.buffer(), gap, epoch_);
    store_.end_line(gap);
    missing_ = store_.write();
    if (failing_ && missing_.dropped == 0) named_missing_ += gap.dropped;
    if (!store_.is_open()) fail();
    return missing_.dropped == 0 && store_.is_open();
  }

  void write_batch() {
    if (!store_.is_open() && !open()) return;  // Somebody removed its file. The events wait.
    std::vector<Event> batch;
    missing_.add(queue_.take(batch));
    Gap lost;
    for (const auto& event : batch) {
      epoch_ = event.epoch;
      append_json(store_.buffer(), event);
      store_.end_line({1, event.sequence, event.sequence});
      if (store_.wants_write()) lost.add(store_.write());
    }
    lost.add(store_.write());
    missing_.add(lost);
    if (!store_.is_open()) {
      fail();
    } else if (missing_.dropped != 0) {
      static_cast<void>(write_gap());
    }
    if (spec_.sync == JournalSync::always) sync();
    if (spec_.sync == JournalSync::interval && !sync_at_ && store_.is_open()) {
      sync_at_ = now() + sync_after;
    }
    if (failing_ && store_.is_open()) be_well();
    queue_.done(batch.size(), lost.dropped != 0);
  }

  void sync() {
    sync_at_.reset();
    if (store_.is_open() && !store_.sync()) fail();
  }

  void keep_house() {
    if (sync_at_ && now() >= *sync_at_) sync();
    if (now() < tidy_at_) return;
    tidy_at_ = now() + tidy_after;
    store_.tidy(std::time(nullptr));
  }

  void say_last_words() {
    missing_.add(queue_.drop_all());
    if (missing_.dropped == 0 || (store_.is_open() && write_gap())) return;
    tell_(Severity::error, "the journal in \"" + spec_.folder + "\" is not complete; " +
                               events_missing(missing_.dropped));
  }

  // All but the queue: only the thread's.
  JournalSpec spec_;
  Tell tell_;
  internal::JournalStore store_;
  Gap missing_ = {};                 ///< Not yet named in the journal.
  std::uint64_t named_missing_ = 0;  ///< Named in it since it failed.
  std::uint64_t epoch_ = 0;
  bool failing_ = false;
  bool was_open_ = false;
  TimePoint try_again_at_ = {};
  TimePoint tidy_at_ = {};
  std::optional<TimePoint> sync_at_ = {};
  internal::EventQueue queue_;
  std::thread thread_;
};

expected<std::shared_ptr<JournalFile>, std::string> JournalFile::start(JournalSpec spec,
                                                                       Tell tell) {
  try {
    return std::shared_ptr<JournalFile>{
        new JournalFile{std::make_unique<Impl>(std::move(spec), std::move(tell))}};
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

}  // namespace espalier::supervisor
