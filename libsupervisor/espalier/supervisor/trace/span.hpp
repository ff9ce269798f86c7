#pragma once

#include "espalier/supervisor/core/trace_id.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace espalier::supervisor {

/// A stretch of time in the life of a tree, as OpenTelemetry has it.
struct Span {
  using Time = std::chrono::system_clock::time_point;
  using Attribute = std::pair<std::string, std::variant<std::string, std::int64_t, bool>>;
  struct Moment {
    Time at = {};
    std::string name = {};
    std::string message = {};
  };
  struct Link {
    TraceId trace = {};
    std::uint64_t span = 0;
  };

  TraceId trace = {};
  std::uint64_t id = 0;
  std::uint64_t parent = 0;  ///< 0: none.
  std::string name = {};     ///< One of few; what it is about stands in the attributes.
  Time begin = {};
  Time end = {};
  std::vector<Attribute> attributes = {};
  std::vector<Moment> moments = {};
  std::uint64_t moments_left_out = 0;
  std::optional<Link> link = {};
  std::optional<std::string> error = {};  ///< Why it went wrong.
};

}  // namespace espalier::supervisor
