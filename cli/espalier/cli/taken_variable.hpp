#pragma once

#include <cstdlib>
#include <string>

namespace espalier::cli {

/// The value of an environment variable that is for this process alone, and gone afterwards; empty
/// where there is none. Before the first thread only.
[[nodiscard]] inline std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

}  // namespace espalier::cli
