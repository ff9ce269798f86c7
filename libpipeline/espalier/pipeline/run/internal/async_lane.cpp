#include "espalier/pipeline/run/internal/async_lane.hpp"

#include "espalier/pipeline/run/async_context.hpp"
#include "espalier/pipeline/run/internal/failures.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <pthread.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace asio = boost::asio;

namespace espalier::pipeline {
namespace {

thread_local asio::io_context* context_of_this_thread = nullptr;

}  // namespace

boost::asio::io_context* async_context() {
  return context_of_this_thread;
}

namespace internal {

class AsyncLane::Thread {
 public:
  explicit Thread(const std::string& name) : guard_(context_.get_executor()) {
    thread_ = std::thread([this, name] {
      pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
      context_of_this_thread = &context_;
      run();
    });
  }
  ~Thread() {
    guard_.reset();
    context_.stop();
    thread_.join();
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  asio::io_context& context() { return context_; }

 private:
  void run() {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception&) {  // Of a handler that a task left here: not ours to judge.
      }
    }
  }

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::thread thread_;
};

AsyncLane::AsyncLane(Collect collect, const std::string& thread_name)
    : collect_(std::move(collect)), thread_(std::make_unique<Thread>(thread_name)) {}

AsyncLane::~AsyncLane() {
  // The last item may have been collected before the thread that brought it has left `done`.
  while (bringing_.load(std::memory_order_acquire) > 0)
    std::this_thread::yield();
}

void AsyncLane::start(std::vector<AsyncItem*> items) {
  asio::dispatch(thread_->context(), [this, items = std::move(items)] {
    for (auto* item : items)
      start_one(*item);
  });
}

void AsyncLane::start_one(AsyncItem& item) {
  auto& only = item.context.work().chunk->items.front();
  try {
    auto& kernel = static_cast<AsyncKernel&>(*item.node->kernel);
    kernel.start(only, item.context, [this, it = &item] { done(*it); });
  } catch (...) {  // Against its contract.
    fail_all(*item.node, *item.context.work().chunk);
    done(item);
  }
}

void AsyncLane::done(AsyncItem& item) {
  if (async_context() == &thread_->context()) return push(item);
  bringing_.fetch_add(1, std::memory_order_relaxed);
  push(item);
  bringing_.fetch_sub(1, std::memory_order_release);
}

void AsyncLane::push(AsyncItem& item) {
  auto* before = done_.load(std::memory_order_relaxed);
  do {
    item.next_done = before;
  } while (!done_.compare_exchange_weak(before, &item, std::memory_order_release,
                                        std::memory_order_relaxed));
  if (!before) asio::post(thread_->context(), [this] { collect_done(); });
}

void AsyncLane::collect_done() {
  collected_.clear();
  for (auto* item = done_.exchange(nullptr, std::memory_order_acquire); item;
       item = item->next_done)
    collected_.push_back(item);
  std::reverse(collected_.begin(), collected_.end());
  collect_(collected_);
}

}  // namespace internal
}  // namespace espalier::pipeline
