#include "espalier/pipeline/build/describe.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <utility>

namespace espalier::pipeline {

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  return text && status == 0 ? text.get() : type.name();
}

std::unique_ptr<Failure> failure_from(std::exception_ptr error) {
  auto failure = std::make_unique<Failure>();
  failure->error = error;
  if (!error) {
    failure->message = "failed without an error";
    return failure;
  }
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& thrown) {
    failure->message = thrown.what();
    failure->type = type_name(typeid(thrown));
  } catch (const std::string& text) {
    failure->message = text;
    failure->type = "std::string";
  } catch (const char* text) {
    failure->message = text;
    failure->type = "const char*";
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    failure->type = type ? type_name(*type) : "unknown";
    failure->message = "something that is no std::exception was thrown: " + failure->type;
  }
  return failure;
}

}  // namespace espalier::pipeline
