#pragma once

namespace espalier::testing {

/// A sanitizer watches this test: it takes ten times as long, and memory is the sanitizer's.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace espalier::testing
