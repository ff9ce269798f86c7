// The loop that a careful person writes by hand: bounded queues, two threads a stage, a map that
// restores the order at the end.
#include "work.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace espalier::benchmarks {
namespace {

struct Numbered {
  std::uint64_t seq = 0;
  std::uint64_t value = 0;
};

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}
  void push(T item) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [&] { return items_.size() < capacity_; });
    items_.push_back(std::move(item));
    not_empty_.notify_one();
  }
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [&] { return !items_.empty() || closed_; });
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    not_full_.notify_one();
    return item;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    not_empty_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  std::deque<T> items_;
  std::size_t capacity_;
  bool closed_ = false;
};

using Batch = std::vector<Numbered>;

Tally run(const Job& job, std::size_t batch) {
  std::vector<std::unique_ptr<BoundedQueue<Batch>>> queues;
  for (int i = 0; i < 4; ++i)
    queues.push_back(std::make_unique<BoundedQueue<Batch>>(1024 / batch));
  std::vector<std::jthread> workers;
  std::array<std::atomic<int>, 3> left{2, 2, 2};
  for (std::size_t s = 0; s < 3; ++s) {
    for (int w = 0; w < 2; ++w) {
      workers.emplace_back([&, s] {
        while (auto items = queues[s]->pop()) {
          for (auto& item : *items)
            item.value = stage(item.value, job.rounds);
          queues[s + 1]->push(std::move(*items));
        }
        if (--left[s] == 0) queues[s + 1]->close();
      });
    }
  }
  std::jthread feeder([&] {
    for (std::uint64_t at = 0; at < job.items;) {
      Batch items;
      items.reserve(batch);
      for (; items.size() < batch && at < job.items; ++at)
        items.push_back({at, at});
      queues[0]->push(std::move(items));
    }
    queues[0]->close();
  });
  Tally tally;
  std::map<std::uint64_t, Batch> early;
  while (auto items = queues[3]->pop()) {
    early.emplace(items->front().seq, std::move(*items));
    while (!early.empty() && early.begin()->first == tally.count) {
      for (const auto& item : early.begin()->second) {
        tally.in_order = tally.in_order && item.seq == tally.count;
        tally.sum += item.value;
        ++tally.count;
      }
      early.erase(early.begin());
    }
  }
  return tally;
}

}  // namespace

Tally with_threads(const Job& job) {
  return run(job, 1);
}
Tally with_threads_in_batches(const Job& job) {
  return run(job, 64);
}

}  // namespace espalier::benchmarks
