#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// First in, first out, in one block of memory that only grows: a std::deque allocates and frees
/// while items pass through, this does not. O(1) each; T is default-constructible and movable.
template <class T>
class Ring {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T& operator[](std::size_t i) { return slots_[place(i)]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return slots_[place(i)]; }
  [[nodiscard]] T& front() { return slots_[head_]; }
  [[nodiscard]] const T& front() const { return slots_[head_]; }
  [[nodiscard]] T& back() { return slots_[place(size_ - 1)]; }

  void push_back(T value) {
    if (size_ == slots_.size()) grow();
    slots_[place(size_)] = std::move(value);
    ++size_;
  }
  T take_front() {
    T value = std::move(slots_[head_]);
    head_ = place(1);
    --size_;
    return value;
  }
  void clear() {
    while (!empty())
      static_cast<void>(take_front());
  }

 private:
  // The number of slots is a power of two.
  [[nodiscard]] std::size_t place(std::size_t i) const { return (head_ + i) & (slots_.size() - 1); }
  void grow() {
    std::vector<T> wider(slots_.empty() ? 4 : slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i)
      wider[i] = std::move((*this)[i]);
    slots_ = std::move(wider);
    head_ = 0;
  }

  std::vector<T> slots_ = {};
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace espalier::pipeline
