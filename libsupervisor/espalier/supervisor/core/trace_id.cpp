#include "espalier/supervisor/core/trace_id.hpp"

namespace espalier::supervisor {

namespace {

// One-to-one, so what differs stays different: the finalizer of SplitMix64.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

}  // namespace

TraceId trace_id_of(std::uint64_t epoch, std::uint64_t correlation) {
  return {epoch, mixed(epoch + correlation)};
}

std::uint64_t span_id_of(std::uint64_t epoch, std::uint64_t sequence) {
  const auto id = mixed(~epoch + sequence);
  return id != 0 ? id : 1;
}

void append_hex(std::string& out, std::uint64_t value) {
  constexpr const char* digits = "0123456789abcdef";
  for (auto shift = 64U; shift != 0;) {
    shift -= 4;
    out += digits[(value >> shift) & 0xfU];
  }
}

void append_hex(std::string& out, const TraceId& id) {
  append_hex(out, id.high);
  append_hex(out, id.low);
}

}  // namespace espalier::supervisor
