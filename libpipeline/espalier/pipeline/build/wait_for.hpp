#pragma once

#include <cstdint>

namespace espalier::pipeline {

/// What is waited for when there are several things to wait for.
enum class WaitFor : std::uint8_t {
  all,          ///< Until all have ended.
  any,          ///< Until at least one has ended.
  first_error,  ///< Until one of them has failed, or all have ended.
};

}  // namespace espalier::pipeline
