#include "espalier/supervisor/trace/span_outlet.hpp"

#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::supervisor {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_in_a_request = 512;
constexpr Duration gather_for = 1s;
constexpr Duration first_pause = 500ms;
constexpr Duration longest_pause = 30s;
constexpr Duration last_tries = 2s;

}  // namespace

class SpanOutlet::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {
    const internal::SignalsBlocked blocked;
    thread_ = std::thread{[this] { run(); }};
  }
  ~Impl() {
    {
      const std::lock_guard lock{mutex_};
      give_up_at_ = std::chrono::steady_clock::now() + last_tries;
    }
    changed_.notify_all();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void push(const std::shared_ptr<const Span>& span) {
    const std::lock_guard lock{mutex_};
    if (waiting_.size() >= options_.capacity) {
      ++counts_.lost;
      return;
    }
    waiting_.push_back(span);
    const auto full = std::min(most_in_a_request, options_.capacity);
    if (waiting_.size() == 1 || waiting_.size() == full) changed_.notify_all();
  }

  Counts counts() const {
    const std::lock_guard lock{mutex_};
    auto result = counts_;
    result.waiting = waiting_.size();
    return result;
  }

 private:
  [[nodiscard]] bool closing() const { return give_up_at_.has_value(); }

  void run() {
    std::unique_lock lock{mutex_};
    for (;;) {
      changed_.wait(lock, [this] { return closing() || !waiting_.empty(); });
      if (waiting_.empty()) return;
      changed_.wait_for(lock, gather_for, [this] {
        return closing() || waiting_.size() >= std::min(most_in_a_request, options_.capacity);
      });
      bring(lock);
    }
  }

  // Spans wait in the queue until they are brought, so that the bound holds for all.
  void bring(std::unique_lock<std::mutex>& lock) {
    const auto count = std::min(waiting_.size(), most_in_a_request);
    std::vector<Span> batch;
    batch.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      batch.push_back(*waiting_[i]);
    lock.unlock();
    std::string request;
    append_otlp(request, options_.source, batch);
    const auto outcome = options_.deliver(request);
    lock.lock();
    const bool over = closing() && std::chrono::steady_clock::now() >= *give_up_at_;
    const bool brought = outcome.kind == Outcome::Kind::done;
    if (outcome.kind == Outcome::Kind::later && !over) return wait_for_better(lock, outcome.why);
    const auto gone = over && !brought ? waiting_.size() : count;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(gone));
    (brought ? counts_.brought : counts_.lost) += gone;
    brought ? be_well(lock) : complain(lock, outcome.why);
  }

  void wait_for_better(std::unique_lock<std::mutex>& lock, const std::string& why) {
    complain(lock, why);
    pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
    const auto until = std::chrono::steady_clock::now() + pause_;
    if (closing()) {
      lock.unlock();
      std::this_thread::sleep_for(50ms);
      lock.lock();
    } else {
      changed_.wait_until(lock, until, [this] { return closing(); });
    }
  }

  void complain(std::unique_lock<std::mutex>& lock, const std::string& why) {
    if (std::exchange(failing_, true)) return;
    lost_before_ = counts_.lost;
    lock.unlock();
    options_.tell(Severity::warning, "cannot bring " + options_.name + ": " + why +
                                         "; the tree goes on, and the latest are lost once " +
                                         std::to_string(options_.capacity) + " wait");
    lock.lock();
  }

  void be_well(std::unique_lock<std::mutex>& lock) {
    pause_ = {};
    if (!std::exchange(failing_, false)) return;
    const auto lost = counts_.lost - lost_before_;
    lock.unlock();
    options_.tell(Severity::info, options_.name + " are brought again; " + std::to_string(lost) +
                                      (lost == 1 ? " is lost" : " are lost"));
    lock.lock();
  }

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<const Span>> waiting_ = {};
  Counts counts_ = {};
  std::optional<TimePoint> give_up_at_ = {};
  bool failing_ = false;  // These three: the thread's.
  std::uint64_t lost_before_ = 0;
  Duration pause_ = {};
  std::thread thread_;
};

SpanOutlet::SpanOutlet(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
SpanOutlet::~SpanOutlet() = default;
void SpanOutlet::push(const std::shared_ptr<const Span>& span) {
  impl_->push(span);
}
SpanOutlet::Counts SpanOutlet::counts() const {
  return impl_->counts();
}

}  // namespace espalier::supervisor
