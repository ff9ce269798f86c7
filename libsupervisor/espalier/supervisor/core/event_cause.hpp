#pragma once

#include <cstdint>

namespace espalier::supervisor {

/// Where an event comes from in the chain of causes: the sequence of its direct cause and of the
/// first link, which all events of one incident share. 0: none.
struct Cause {
  std::uint64_t caused_by = 0;
  std::uint64_t correlation = 0;
};

}  // namespace espalier::supervisor
