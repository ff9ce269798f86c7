#include "espalier/pipeline/track/events.hpp"

#include "espalier/supervisor/observe/json_object.hpp"

namespace espalier::pipeline {

std::string timestamp_text(WallTime wall) {
  std::string out;
  supervisor::json::append_timestamp(out, wall);
  return out;
}

}  // namespace espalier::pipeline
