#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <string>

namespace espalier::supervisor {

/// How one question about a child's health went.
struct ProbeTiming {
  std::string path = {};        ///< Of the child.
  bool is_health_check = true;  ///< False: whether it is ready.
  bool ok = false;
  Duration took = {};
};

/// Hears of every answer of a probe, good ones too, for which there are no events. Called on the
/// thread of the probes, one at a time; must be quick and must not block.
class ProbeSink {
 public:
  virtual ~ProbeSink() = default;
  virtual void probed(const ProbeTiming& timing) = 0;
};

}  // namespace espalier::supervisor
