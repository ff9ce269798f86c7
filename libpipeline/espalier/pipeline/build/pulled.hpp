#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

namespace espalier::pipeline {

/// Values that come one after the other while they are asked for: `next()`, or a for loop. Can be
/// gone through once, by one thread at a time. When it goes before its end, what was only done for
/// it is stopped.
template <class T>
class Pulled {
 public:
  explicit Pulled(std::function<std::optional<T>()> next) : next_(std::move(next)) {}
  Pulled(Pulled&&) noexcept = default;
  Pulled& operator=(Pulled&&) noexcept = default;

  /// Waits for the next one; empty: there are no more.
  [[nodiscard]] std::optional<T> next() { return next_(); }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    explicit Iterator(Pulled& from) : from_(&from), now_(from.next()) {}
    T& operator*() { return *now_; }
    T* operator->() { return &*now_; }
    Iterator& operator++() {
      now_ = from_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t /*end*/) const { return !now_; }

   private:
    Pulled* from_;
    std::optional<T> now_;
  };
  [[nodiscard]] Iterator begin() { return Iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  std::function<std::optional<T>()> next_;
};

}  // namespace espalier::pipeline
