#pragma once

#include "espalier/rehearsal/report.hpp"
#include "espalier/rehearsal/storm.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <cstdint>
#include <string>

namespace espalier::cli {

/// What a journal tells of a run: what came of it, and what went wrong, as a storm to be met again.
///
/// A failure strikes whatever runs at its time. Where the next attempt failed within a minute of
/// its start, whatever was wrong is taken to have been wrong all the time in between: an attempt
/// begun then fails as soon after its start as that one did. So the same policy goes through the
/// same again, and another policy meets the same world. What operators did is not done again.
struct Recorded {
  rehearsal::Report report = {};
  rehearsal::Storm storm = {};
  std::string begin = {};  ///< Of the first event, RFC 3339.
  std::uint64_t events = 0;
  std::uint64_t damaged = 0;  ///< Lines that could not be read.
};

/// `folder`: of the journal. The sentence says why it cannot be read, or that nothing is in it.
[[nodiscard]] expected<Recorded, std::string> read_recorded(const std::string& folder);

}  // namespace espalier::cli
