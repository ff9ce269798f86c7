#include "espalier/pipeline/show/show.hpp"

#include "espalier/pipeline/show/view_maker.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace espalier::pipeline {

class Show::Impl {
 public:
  Impl(Snapshot snapshot, std::shared_ptr<DashboardProtocol> dashboard, ShowOptions options)
      : snapshot_(std::move(snapshot)),
        dashboard_(std::move(dashboard)),
        options_(std::move(options)),
        views_(options_.total) {
    // Here and not on the thread: the dashboard has begun before anything is fed.
    guarded([&] { dashboard_->on_start(snapshot_().name, options_.total); });
    thread_ = std::thread([this] { run(); });
  }
  ~Impl() { finish(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void finish() {
    const std::lock_guard finishing(finish_mutex_);
    if (!thread_.joinable()) return;
    if (options_.tracker) options_.tracker->flush();
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  [[nodiscard]] std::uint64_t errors() const { return errors_.load(); }

 private:
  template <class Call>
  void guarded(Call call) {
    try {
      call();
    } catch (...) {
      ++errors_;
    }
  }
  void run() {
    std::unique_lock lock(mutex_);
    do {
      lock.unlock();  // Writing to a terminal may take as long as its reader pleases.
      guarded([&] { dashboard_->on_update(completed(views_.view(snapshot_()))); });
      lock.lock();
      wake_.wait_for(lock, options_.interval, [this] { return closing_; });
    } while (!closing_);
    lock.unlock();
    guarded([&] { dashboard_->on_finish(completed(views_.last_view(snapshot_())), summary()); });
  }
  [[nodiscard]] DashboardView completed(DashboardView view) const {
    if (!options_.tracker) {
      view.errors = error_summary_of(view.snapshot);
      return view;
    }
    view.errors = options_.tracker->get_error_summary(options_.errors);
    view.items = options_.tracker->get_recent(options_.items);
    view.events_dropped = options_.tracker->dropped();
    return view;
  }
  [[nodiscard]] ErrorSummary summary() const {
    return options_.tracker ? options_.tracker->get_error_summary() : error_summary_of(snapshot_());
  }

  Snapshot snapshot_;
  std::shared_ptr<DashboardProtocol> dashboard_;
  ShowOptions options_;
  ViewMaker views_;
  std::atomic<std::uint64_t> errors_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool closing_ = false;
  std::mutex finish_mutex_;
  std::thread thread_;
};

Show::Show(Snapshot snapshot, std::shared_ptr<DashboardProtocol> dashboard, ShowOptions options)
    : impl_(std::make_unique<Impl>(std::move(snapshot), std::move(dashboard), std::move(options))) {
}
Show::~Show() = default;

void Show::finish() {
  impl_->finish();
}
std::uint64_t Show::errors() const {
  return impl_->errors();
}

}  // namespace espalier::pipeline
