#pragma once

#include "espalier/ipc/wire/describe.hpp"

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>

namespace espalier::ipc {

/// As it stands where a message holds JSON of others.
inline const std::string an_event =
    R"({"type":"child_ready","sequence":1,"epoch":2,"at":"2026-01-31T12:03:07.001234Z",)"
    R"("monotonic_ns":3,"path":"/db","severity":"info","start_ms":0.5})";

/// Puts something into every field, and one element into every list.
struct Filler {
  template <class T>
  void operator()(std::string_view name, T& x, std::string_view) {
    fill(x);
    if constexpr (std::same_as<T, std::string>) {
      if (name == "type") x = kept;
    }
  }
  template <class T>
  void fill(T& x) {
    if constexpr (std::same_as<T, bool>) {
      x = true;
    } else if constexpr (std::integral<T>) {
      x = static_cast<T>(++number);
    } else if constexpr (std::floating_point<T>) {
      x = 0.25;
    } else if constexpr (std::same_as<T, std::string>) {
      kept = x;
      x = "text " + std::to_string(++number);
    } else if constexpr (std::same_as<T, Timestamp>) {
      x = Timestamp{std::chrono::seconds{1769860987} + std::chrono::microseconds{1234}};
    } else if constexpr (WireEnum<T>) {
      x = static_cast<T>(WireWords<T>::count - 1);
    } else if constexpr (std::same_as<T, RawJson>) {
      x.text = an_event;
    } else if constexpr (IsOptional<T>::value) {
      fill(x.emplace());
    } else if constexpr (IsVector<T>::value) {
      fill(x.emplace_back());
    } else if constexpr (IsMap<T>::value) {
      fill(x["key"]);
    } else {
      T::describe(x, *this);
    }
  }
  int number = 0;
  std::string kept = {};  ///< The `type` of a push is part of what it is.
};

template <Message T>
T filled() {
  T message{};
  Filler filler;
  T::describe(message, filler);
  return message;
}

}  // namespace espalier::ipc
