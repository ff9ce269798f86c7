#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace espalier::ipc {

/// The one description of a message. A message is a struct with
///
///     static void describe(auto& self, auto& visit) {
///       visit("path", self.path, "Path of the node.");
///     }
///
/// which visits every field in the order of the wire. Encoder, Decoder and SchemaWriter are the
/// visitors; so what is written, what is read and what docs/schema/ promises cannot differ.
///
/// A field is required unless it is a std::optional. Fields may be bool, integers, double, text,
/// Timestamp, enums with `wire_words`, RawJson, messages, and vectors, maps by text and optionals
/// of these. Integers stay below 2^53.
struct AnyVisitor {
  template <class T>
  void operator()(std::string_view, T&, std::string_view) {}
};

template <class T>
concept Message = requires(T& x, AnyVisitor& v) {
  T::describe(x, v);
};

using Timestamp = std::chrono::system_clock::time_point;

/// JSON that is passed through as it is. When read, it is kept as text.
struct RawJson {
  std::string text = "null";
  bool operator==(const RawJson&) const = default;
};

/// Specialised for an enum: its words, by value from 0. To be read and written it needs no more.
template <class E>
struct WireWords {};

template <class E>
concept WireEnum = std::is_enum_v<E> && requires {
  WireWords<E>::count;
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};

/// Words by `to_string`, which all our enums have: `count` is the number of values.
template <class E, std::size_t Count>
struct WordsByToString {
  static constexpr std::size_t count = Count;
  static const char* word(std::size_t i) { return to_string(static_cast<E>(i)); }
};

/// What becomes of fields that a message does not have.
enum class Unknown : bool { refuse, ignore };

}  // namespace espalier::ipc
