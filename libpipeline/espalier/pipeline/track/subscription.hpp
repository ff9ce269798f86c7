#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace espalier::pipeline {

/// Ends what it stands for when it is destroyed. Then the subscriber is not being called any more,
/// so it may refer to things that go next; called from the subscriber itself, it only ends after
/// the call. Do not hold a lock that the subscriber takes. May outlive the tracker.
class Subscription {
 public:
  /// What `end` needs of a subscriber.
  struct Place {
    std::recursive_mutex mutex = {};  ///< Held while the subscriber is called.
    bool ended = false;
  };

  Subscription() = default;
  explicit Subscription(std::shared_ptr<Place> place) : place_(std::move(place)) {}
  ~Subscription() { end(); }
  Subscription(Subscription&& other) noexcept : place_(std::move(other.place_)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      end();
      place_ = std::move(other.place_);
    }
    return *this;
  }
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  void end() {
    const std::shared_ptr<Place> place = std::exchange(place_, nullptr);
    if (!place) return;
    const std::lock_guard lock(place->mutex);
    place->ended = true;
  }
  /// The subscriber hears as long as there is a tracker.
  void keep() && { place_.reset(); }

 private:
  std::shared_ptr<Place> place_;
};

}  // namespace espalier::pipeline
