#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"

#include <string>

namespace espalier::supervisor {

/// One event as one line of JSON, without the newline. Valid UTF-8 whatever the strings hold.
void append_json(std::string& out, const Event& event);
/// A shutdown report as a JSON object.
void append_json(std::string& out, const ShutdownReport& report);

}  // namespace espalier::supervisor
