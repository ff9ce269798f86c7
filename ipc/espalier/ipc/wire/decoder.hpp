#pragma once

#include "espalier/ipc/wire/describe.hpp"
#include "espalier/ipc/wire/value_reader.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::ipc::internal {

struct NameCollector {
  std::vector<std::string_view> names = {};
  template <class T>
  void operator()(std::string_view name, T&, std::string_view) {
    names.push_back(name);
  }
};

template <Message T>
const std::vector<std::string_view>& field_names() {
  static const auto names = [] {
    T message{};
    NameCollector collector;
    T::describe(message, collector);
    return collector.names;
  }();
  return names;
}

template <WireEnum E>
const std::vector<std::string_view>& enum_words() {
  static const auto words = [] {
    std::vector<std::string_view> all;
    for (std::size_t i = 0; i < WireWords<E>::count; ++i)
      all.emplace_back(WireWords<E>::word(i));
    return all;
  }();
  return words;
}

template <Message T>
bool read_message(WireReader& reader, const Json& json, T& message);

template <class T>
bool read_list(WireReader& reader, const Json& json, std::vector<T>& list);

template <class T>
bool read_map(WireReader& reader, const Json& json, std::map<std::string, T>& map);

template <class T>
bool read_value(WireReader& reader, const Json& json, T& x) {
  if constexpr (std::same_as<T, bool> || std::same_as<T, double> || std::same_as<T, std::string> ||
                std::same_as<T, Timestamp> || std::same_as<T, RawJson>) {
    return reader.read(json, x);
  } else if constexpr (std::integral<T>) {
    const auto read = reader.integer(json, static_cast<std::int64_t>(least_integer<T>()),
                                     static_cast<std::int64_t>(largest_integer<T>()));
    if (read) x = static_cast<T>(*read);
    return read.has_value();
  } else if constexpr (WireEnum<T>) {
    const auto read = reader.word(json, enum_words<T>());
    if (read) x = static_cast<T>(*read);
    return read.has_value();
  } else if constexpr (IsVector<T>::value) {
    return read_list(reader, json, x);
  } else if constexpr (IsMap<T>::value) {
    return read_map(reader, json, x);
  } else {
    static_assert(Message<T>, "a field of this type cannot be read");
    return read_message(reader, json, x);
  }
}

template <class T>
bool read_list(WireReader& reader, const Json& json, std::vector<T>& list) {
  if (!json.is_array()) return reader.expected_but("a list", json);
  list.clear();
  list.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto step = reader.enter_element(i);
    T element{};
    if (!read_value(reader, json[i], element)) return false;
    list.push_back(std::move(element));
  }
  return true;
}

template <class T>
bool read_map(WireReader& reader, const Json& json, std::map<std::string, T>& map) {
  if (!json.is_object()) return reader.expected_but("an object", json);
  map.clear();
  for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
    const auto step = reader.enter_field(key);
    T element{};
    if (!read_value(reader, value, element)) return false;
    map.insert_or_assign(key, std::move(element));
  }
  return true;
}

/// Reads the fields it visits, until one cannot be read.
struct Decoder {
  WireReader& reader;
  const Json::object_t& members;
  std::size_t next = 0;  ///< Fields mostly come in our order.
  bool ok = true;

  template <class T>
  void operator()(std::string_view name, T& field, std::string_view) {
    if (!ok) return;
    const Json* json = find(name);
    const auto step = reader.enter_field(name);
    if constexpr (IsOptional<T>::value) {
      if (json) ok = read_value(reader, *json, field.emplace());
    } else {
      ok = json ? read_value(reader, *json, field) : reader.fail("this field is missing");
    }
  }

 private:
  const Json* find(std::string_view name) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto at = (next + i) % members.size();
      const auto& [key, value] = members.begin()[static_cast<std::ptrdiff_t>(at)];
      if (key != name) continue;
      next = at + 1;
      return &value;
    }
    return nullptr;
  }
};

template <Message T>
bool read_message(WireReader& reader, const Json& json, T& message) {
  if (!json.is_object()) return reader.expected_but("an object", json);
  if (!reader.knows_all(json, field_names<T>())) return false;
  Decoder decoder{reader, json.get_ref<const Json::object_t&>()};
  T::describe(message, decoder);
  return decoder.ok;
}

}  // namespace espalier::ipc::internal

namespace espalier::ipc {

template <Message T>
expected<T, std::string> decode(const Json& json, Unknown unknown, std::string_view where) {
  internal::WireReader reader{unknown == Unknown::refuse, where};
  T message{};
  if (!internal::read_message(reader, json, message)) {
    return espalier::unexpected<std::string>(reader.problem());
  }
  return message;
}

}  // namespace espalier::ipc
