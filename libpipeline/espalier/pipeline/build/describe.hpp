#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <concepts>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

namespace espalier::pipeline {

/// The name of a type as in the source: "std::vector<int, std::allocator<int> >".
[[nodiscard]] std::string type_name(const std::type_info& type);

/// What was thrown, as a failure: message, type and the object itself. Works for things that are
/// no std::exception, too.
[[nodiscard]] std::unique_ptr<Failure> failure_from(std::exception_ptr error);

/// What an error value says to a person: itself if it is text, its `what()`, `message()` or
/// `message`, what `to_string` makes of it, or else the name of its type.
template <class E>
[[nodiscard]] std::string error_text(const E& error) {
  using std::to_string;
  if constexpr (std::convertible_to<const E&, std::string>) {
    return error;
  } else if constexpr (requires { std::string(error.what()); }) {
    return std::string(error.what());
  } else if constexpr (requires { std::string(error.message()); }) {
    return std::string(error.message());
  } else if constexpr (requires { std::string(error.message); }) {
    return std::string(error.message);
  } else if constexpr (requires { std::string(to_string(error)); }) {
    return std::string(to_string(error));
  } else {
    return type_name(typeid(E));
  }
}

/// An error that a task returned, as a failure.
template <class E>
[[nodiscard]] std::unique_ptr<Failure> failure_of(const E& error) {
  if constexpr (std::same_as<E, std::exception_ptr>) {
    return failure_from(error);
  } else {
    auto failure = std::make_unique<Failure>();
    failure->message = error_text(error);
    failure->type = type_name(typeid(E));
    return failure;
  }
}

}  // namespace espalier::pipeline
