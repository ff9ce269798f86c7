#pragma once

#include "espalier/ipc/wire/describe.hpp"
#include "espalier/ipc/wire/value_reader.hpp"

#include <nlohmann/json.hpp>

#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <typeindex>
#include <typeinfo>

namespace espalier::ipc::internal {

/// Messages that have a name of their own in a document: they are referred to, not repeated.
using SchemaNames = std::map<std::type_index, std::string>;

template <Message T>
Json object_schema(const SchemaNames& names);

template <class T>
Json value_schema(const SchemaNames& names) {
  if constexpr (std::same_as<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::integral<T>) {
    return {
        {"type", "integer"}, {"minimum", least_integer<T>()}, {"maximum", largest_integer<T>()}};
  } else if constexpr (std::floating_point<T>) {
    return {{"type", "number"}};
  } else if constexpr (std::same_as<T, std::string>) {
    return {{"type", "string"}};
  } else if constexpr (std::same_as<T, Timestamp>) {
    return {{"type", "string"},
            {"format", "date-time"},
            {"pattern", "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{6}Z$"}};
  } else if constexpr (WireEnum<T>) {
    Json words = Json::array();
    for (std::size_t i = 0; i < WireWords<T>::count; ++i)
      words.push_back(WireWords<T>::word(i));
    return {{"enum", std::move(words)}};
  } else if constexpr (std::same_as<T, RawJson>) {
    return Json::object();
  } else if constexpr (IsVector<T>::value) {
    return {{"type", "array"}, {"items", value_schema<typename T::value_type>(names)}};
  } else if constexpr (IsMap<T>::value) {
    return {{"type", "object"},
            {"additionalProperties", value_schema<typename T::mapped_type>(names)}};
  } else {
    static_assert(Message<T>, "a field of this type has no schema");
    const auto name = names.find(typeid(T));
    if (name == names.end()) return object_schema<T>(names);
    return {{"$ref", "#/$defs/" + name->second}};
  }
}

/// Collects the fields it visits.
struct SchemaWriter {
  const SchemaNames& names;
  Json properties = Json::object();
  Json required = Json::array();

  template <class T>
  void operator()(std::string_view name, T&, std::string_view description) {
    Json schema;
    if constexpr (IsOptional<T>::value) {
      schema = value_schema<typename T::value_type>(names);
    } else {
      schema = value_schema<T>(names);
      required.push_back(name);
    }
    schema["description"] = description;
    properties[std::string(name)] = std::move(schema);
  }
};

template <Message T>
Json object_schema(const SchemaNames& names) {
  SchemaWriter writer{names};
  T message{};
  T::describe(message, writer);
  Json schema = {{"type", "object"}, {"properties", std::move(writer.properties)}};
  if (!writer.required.empty()) schema["required"] = std::move(writer.required);
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace espalier::ipc::internal

namespace espalier::ipc {

template <Message T>
Json schema_of(std::string_view title) {
  Json schema = {{"title", title}};
  schema.update(internal::object_schema<T>({}));
  return schema;
}

}  // namespace espalier::ipc
