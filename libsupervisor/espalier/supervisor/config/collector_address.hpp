#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <string>

namespace espalier::supervisor {

/// "http://127.0.0.1:4318/v1/traces" in its parts.
struct CollectorAddress {
  std::string host = {};  ///< "::1" without its brackets.
  std::string port = {};
  std::string path = {};
};

/// The sentence says what is wrong with it. Without a port: 4318; without a path: /v1/traces.
[[nodiscard]] expected<CollectorAddress, std::string> parse_collector(const std::string& url);

}  // namespace espalier::supervisor
