#include "espalier/supervisor/io/io_pool.hpp"

#include "espalier/supervisor/io/internal/quiet_thread.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <condition_variable>
#include <mutex>

namespace espalier::supervisor {

namespace {

// Its memory stays for those who still hold executors, timers or strands when the work is gone.
class Context final : public boost::asio::io_context {
 public:
  using io_context::io_context;
  void destroy_work() { shutdown(); }
};

}  // namespace

class IoPool::Core {
 public:
  explicit Core(std::size_t threads)
      : context(static_cast<int>(threads)), work_(context.get_executor()) {}

  void run() {
    while (!context.stopped()) {
      try {
        context.run();
      } catch (...) {  // Of a handler that user code posted: nobody's attempt, so it ends nothing.
      }
    }
    leave();
  }

  void enter() {
    const std::lock_guard lock{mutex_};
    ++inside_;
  }

  /// False: somebody is still inside; the last one destroys the work.
  bool end(Duration limit) {
    work_.reset();
    context.stop();
    std::unique_lock lock{mutex_};
    const bool empty = left_.wait_for(lock, limit, [this] { return inside_ == 0; });
    last_one_cleans_ = !empty;
    lock.unlock();
    if (empty) context.destroy_work();
    return empty;
  }

  Context context;

 private:
  void leave() {
    std::unique_lock lock{mutex_};
    if (--inside_ > 0) return;
    left_.notify_all();
    const bool clean = last_one_cleans_;
    lock.unlock();
    if (clean) context.destroy_work();
  }

  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t inside_ = 0;
  bool last_one_cleans_ = false;
};

IoPool::IoPool(std::size_t threads, const std::string& name)
    : core_(std::make_shared<Core>(threads)) {
  for (std::size_t i = 0; i < threads; ++i) {
    core_->enter();
    threads_.push_back(
        internal::quiet_thread(name + "-" + std::to_string(i), [core = core_] { core->run(); }));
  }
}

IoPool::~IoPool() {
  end(std::chrono::seconds{1});
}

std::shared_ptr<boost::asio::io_context> IoPool::context() const {
  return {core_, &core_->context};
}

bool IoPool::end(Duration limit) {
  if (threads_.empty()) return clean_;
  clean_ = core_->end(limit);
  for (auto& thread : threads_) {
    if (clean_) {
      thread.join();
    } else {
      thread.detach();
    }
  }
  threads_.clear();
  return clean_;
}

}  // namespace espalier::supervisor
