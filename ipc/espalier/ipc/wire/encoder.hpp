#pragma once

#include "espalier/ipc/wire/describe.hpp"
#include "espalier/supervisor/observe/json_object.hpp"
#include "espalier/supervisor/observe/json_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>

namespace espalier::ipc {

template <Message T>
void encode(std::string& out, const T& message);

namespace internal {

/// The shortest text that reads back as `x`. What JSON cannot say becomes 0, or the largest number.
inline void append_double(std::string& out, double x) {
  if (std::isnan(x)) x = 0;
  constexpr double largest = std::numeric_limits<double>::max();
  if (std::isinf(x)) x = x > 0 ? largest : -largest;
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), x).ptr;
  out.append(digits.data(), end);
}

template <class T>
void append_value(std::string& out, const T& x) {
  namespace json = supervisor::json;
  if constexpr (std::same_as<T, bool>) {
    out += x ? "true" : "false";
  } else if constexpr (std::signed_integral<T>) {
    json::append_number(out, static_cast<std::int64_t>(x));
  } else if constexpr (std::unsigned_integral<T>) {
    json::append_number(out, static_cast<std::uint64_t>(x));
  } else if constexpr (std::floating_point<T>) {
    append_double(out, x);
  } else if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) {
    json::append_json_string(out, x);
  } else if constexpr (std::same_as<T, Timestamp>) {
    out += '"';
    json::append_timestamp(out, x);
    out += '"';
  } else if constexpr (WireEnum<T>) {
    out += '"';
    out += WireWords<T>::word(static_cast<std::size_t>(x));
    out += '"';
  } else if constexpr (std::same_as<T, RawJson>) {
    out += x.text;
  } else if constexpr (IsVector<T>::value) {
    out += '[';
    bool first = true;
    for (const auto& element : x) {
      if (!first) out += ',';
      first = false;
      append_value(out, element);
    }
    out += ']';
  } else if constexpr (IsMap<T>::value) {
    out += '{';
    bool first = true;
    for (const auto& [key, value] : x) {
      if (!first) out += ',';
      first = false;
      json::append_json_string(out, key);
      out += ':';
      append_value(out, value);
    }
    out += '}';
  } else {
    static_assert(Message<T>, "a field of this type cannot be written");
    encode(out, x);
  }
}

/// Writes the fields it visits.
struct Encoder {
  supervisor::json::JsonObject object;

  template <class T>
  void operator()(std::string_view name, const T& field, std::string_view) {
    if constexpr (IsOptional<T>::value) {
      if (field) append_value(object.key(name), *field);
    } else {
      append_value(object.key(name), field);
    }
  }
};

}  // namespace internal

template <Message T>
void encode(std::string& out, const T& message) {
  internal::Encoder encoder{supervisor::json::JsonObject{out}};
  T::describe(message, encoder);
}

}  // namespace espalier::ipc
