#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace espalier::supervisor {

/// When what was written to a journal is safe from a loss of power; from a kill of the program it
/// always is.
enum class JournalSync : std::uint8_t {
  never,     ///< When the kernel wants to.
  interval,  ///< A second later at most.
  always,    ///< At once: slower, and still never waited for by the tree.
};

/// The journal of a tree on disk: files in a folder, one event a line.
struct JournalSpec {
  std::string folder = {};                 ///< Empty: no journal on disk.
  std::size_t segment_bytes = 8UL << 20U;  ///< A file that has grown to this is closed.
  std::size_t max_bytes = 128UL << 20U;    ///< Of all files together.
  std::uint32_t keep = 0;                  ///< Most files; 0: any number.
  Duration max_age = {};                   ///< Older closed files are removed; 0: never for age.
  JournalSync sync = JournalSync::interval;
  bool operator==(const JournalSpec&) const = default;
};

}  // namespace espalier::supervisor
