#pragma once

#include "espalier/pipeline/track/subscription.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace espalier::pipeline::internal {

/// Those who hear events of one kind. Guarded by its owner's lock, but for what `present` returns,
/// which stays as it is and is called without a lock.
template <class Event>
class Subscribers {
 public:
  struct Subscriber : Subscription::Place {
    std::function<void(const Event&)> call = {};
  };
  using List = std::vector<std::shared_ptr<Subscriber>>;

  Subscription add(std::function<void(const Event&)> call) {
    auto subscriber = std::make_shared<Subscriber>();
    subscriber->call = std::move(call);
    auto list = std::make_shared<List>(*list_);
    list->push_back(subscriber);
    list_ = std::move(list);
    return Subscription(std::move(subscriber));
  }
  /// Lets those go that have ended.
  void prune() {
    if (std::none_of(list_->begin(), list_->end(), has_ended)) return;
    auto list = std::make_shared<List>(*list_);
    list->erase(std::remove_if(list->begin(), list->end(), has_ended), list->end());
    list_ = std::move(list);
  }
  [[nodiscard]] bool empty() const { return list_->empty(); }
  [[nodiscard]] std::shared_ptr<const List> present() const { return list_; }

  /// Returns how many threw.
  static std::uint64_t tell(const List& list, const Event& event) {
    std::uint64_t threw = 0;
    for (const auto& one : list) {
      const std::lock_guard lock(one->mutex);
      if (one->ended || !one->call) continue;
      try {
        one->call(event);
      } catch (...) {
        ++threw;
      }
    }
    return threw;
  }

 private:
  // One that is being called is left for the next time: waiting for it could be for ever.
  static bool has_ended(const std::shared_ptr<Subscriber>& subscriber) {
    const std::unique_lock lock(subscriber->mutex, std::try_to_lock);
    return lock.owns_lock() && subscriber->ended;
  }

  std::shared_ptr<const List> list_ = std::make_shared<List>();
};

}  // namespace espalier::pipeline::internal
