#pragma once

#include <cstdint>
#include <string>

namespace espalier::supervisor {

/// Names an incident, everywhere: 16 bytes as W3C Trace Context has them, the same in events, logs
/// and spans.
struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const TraceId&) const = default;
};

/// Of the incident that began with event `correlation` of a run. Different for different
/// incidents of a run; its low half is spread as samplers expect it.
[[nodiscard]] TraceId trace_id_of(std::uint64_t epoch, std::uint64_t correlation);
/// Of the span that begins with an event. Never 0; different for different events of a run.
[[nodiscard]] std::uint64_t span_id_of(std::uint64_t epoch, std::uint64_t sequence);

/// 16 lower-case digits.
void append_hex(std::string& out, std::uint64_t value);
/// 32 of them.
void append_hex(std::string& out, const TraceId& id);

}  // namespace espalier::supervisor
