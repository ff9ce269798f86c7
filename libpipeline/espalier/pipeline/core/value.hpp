#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace espalier::pipeline {

/// Whether a T can be copied. Containers say so of every element type; this asks the elements.
template <class T>
inline constexpr bool can_copy = std::is_copy_constructible_v<T>;
template <class T>
requires requires {
  typename T::value_type;
  typename T::allocator_type;
  requires !std::is_same_v<T, typename T::value_type>;
}
inline constexpr bool can_copy<T> =
    std::is_copy_constructible_v<T> && can_copy<typename T::value_type>;

/// A value of any movable type, for between stages of different types. Up to 40 bytes (and
/// ordinary alignment) lie inside and cost no allocation; larger ones are kept on the heap.
///
/// The typed builder has checked the types at compile time, so `as` is unchecked.
class Value {
 public:
  static constexpr std::size_t inline_size = 40;

  Value() = default;
  Value(Value&& other) noexcept : ops_(std::exchange(other.ops_, nullptr)) { take_from(other); }
  Value& operator=(Value&& other) noexcept {
    if (this == &other) return *this;
    reset();
    ops_ = std::exchange(other.ops_, nullptr);
    take_from(other);
    return *this;
  }
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  ~Value() { reset(); }

  template <class T, class... Args>
  [[nodiscard]] static Value of(Args&&... args) {
    Value value;
    value.emplace<T>(std::forward<Args>(args)...);
    return value;
  }
  /// Replaces what was there; `args` must not refer into it.
  template <class T, class... Args>
  T& emplace(Args&&... args) {
    reset();
    T* made = nullptr;
    if constexpr (fits<T>) {
      made = ::new (static_cast<void*>(room_)) T(std::forward<Args>(args)...);
    } else {
      made = new T(std::forward<Args>(args)...);
      ::new (static_cast<void*>(room_)) T*(made);
    }
    ops_ = &ops_for<T>;
    return *made;
  }

  [[nodiscard]] bool has_value() const { return ops_ != nullptr; }
  /// Of what is inside; of void when nothing is.
  [[nodiscard]] const std::type_info& type() const { return ops_ ? *ops_->type : typeid(void); }
  /// Precondition: a T is inside.
  template <class T>
  [[nodiscard]] T& as() {
    if constexpr (fits<T>)
      return *std::launder(reinterpret_cast<T*>(room_));
    else
      return **std::launder(reinterpret_cast<T**>(room_));
  }
  template <class T>
  [[nodiscard]] const T& as() const {
    if constexpr (fits<T>)
      return *std::launder(reinterpret_cast<const T*>(room_));
    else
      return **std::launder(reinterpret_cast<T* const*>(room_));
  }
  /// An equal one; empty when the type cannot be copied. May throw what the copy throws.
  [[nodiscard]] Value copy() const {
    Value value;
    if (ops_ && ops_->copy) {
      ops_->copy(room_, value.room_);
      value.ops_ = ops_;
    }
    return value;
  }
  void reset() {
    if (ops_ && ops_->destroy) ops_->destroy(room_);
    ops_ = nullptr;
  }

 private:
  struct Ops {
    void (*move)(std::byte* from, std::byte* to) noexcept;  ///< Null: byte by byte.
    void (*destroy)(std::byte*) noexcept;                   ///< Null: nothing to do.
    void (*copy)(const std::byte* from, std::byte* to);     ///< Null: cannot be copied.
    const std::type_info* type;
  };
  void take_from(Value& other) noexcept {
    if (!ops_) return;
    if (ops_->move)
      ops_->move(other.room_, room_);
    else
      std::memcpy(room_, other.room_, inline_size);
  }
  template <class T>
  static constexpr bool fits =
      sizeof(T) <= inline_size &&
      alignof(T) <= alignof(void*) && std::is_nothrow_move_constructible_v<T>;
  template <class T>
  static const Ops ops_for;

  const Ops* ops_ = nullptr;
  alignas(void*) std::byte room_[inline_size];
};

template <class T>
inline const Value::Ops Value::ops_for = [] {
  using Held = std::conditional_t<fits<T>, T, T*>;
  Ops ops{};
  ops.type = &typeid(T);
  if constexpr (!std::is_trivially_copyable_v<Held>) {
    ops.move = [](std::byte* from, std::byte* to) noexcept {
      auto* held = std::launder(reinterpret_cast<Held*>(from));
      ::new (static_cast<void*>(to)) Held(std::move(*held));
      held->~Held();
    };
  }
  if constexpr (!fits<T>) {
    ops.destroy = [](std::byte* room) noexcept {
      delete *std::launder(reinterpret_cast<T**>(room));
    };
  } else if constexpr (!std::is_trivially_destructible_v<T>) {
    ops.destroy = [](std::byte* room) noexcept { std::launder(reinterpret_cast<T*>(room))->~T(); };
  }
  if constexpr (can_copy<T>) {
    ops.copy = [](const std::byte* from, std::byte* to) {
      if constexpr (fits<T>) {
        ::new (static_cast<void*>(to)) T(*std::launder(reinterpret_cast<const T*>(from)));
      } else {
        const auto* held = *std::launder(reinterpret_cast<T* const*>(from));
        ::new (static_cast<void*>(to)) T*(new T(*held));
      }
    };
  }
  return ops;
}();

}  // namespace espalier::pipeline
