#pragma once

#include "espalier/supervisor/core/child_state.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace espalier::supervisor {

/// How many children stand where.
struct PhaseCounts {
  static constexpr std::size_t phases = static_cast<std::size_t>(ChildPhase::removed) + 1;

  std::uint64_t total = 0;  ///< Removed ones not counted.
  /// Children that should be ready and are not; optional ones and those an operator holds aside.
  std::uint64_t unready = 0;
  std::array<std::uint64_t, phases> by_phase = {};

  [[nodiscard]] std::uint64_t of(ChildPhase phase) const {
    return by_phase[static_cast<std::size_t>(phase)];
  }
  /// Ready, suspended ones included.
  [[nodiscard]] std::uint64_t ready() const {
    return of(ChildPhase::running) + of(ChildPhase::suspended);
  }
};

}  // namespace espalier::supervisor
