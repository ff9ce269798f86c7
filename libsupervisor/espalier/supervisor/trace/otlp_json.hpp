#pragma once

#include "espalier/supervisor/trace/span.hpp"

#include <string>
#include <vector>

namespace espalier::supervisor {

/// Where spans come from: one program, one tree.
struct TraceSource {
  std::string service = {};   ///< Name of the tree.
  std::string instance = {};  ///< Tells runs apart.
  std::string version = {};
  std::int64_t pid = 0;
};

/// Spans as one ExportTraceServiceRequest in the JSON form of OTLP 1.0, without a newline: what a
/// collector takes over HTTP, and a line of what its file receiver reads.
/// Whatever bytes texts hold, it is valid UTF-8; texts above 4 KiB are cut.
void append_otlp(std::string& out, const TraceSource& source, const std::vector<Span>& spans);

}  // namespace espalier::supervisor
