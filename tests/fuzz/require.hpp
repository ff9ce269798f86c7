#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace espalier {

/// A promise that a fuzzer holds the code to: broken, it says which one and aborts.
inline void require(bool kept, const char* promise, std::string_view seen = "") {
  if (kept) return;
  std::fprintf(stderr, "broken: %s\n%.*s\n", promise, static_cast<int>(seen.size()), seen.data());
  std::abort();
}

}  // namespace espalier
