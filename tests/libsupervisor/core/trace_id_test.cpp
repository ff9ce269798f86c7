#include "espalier/supervisor/core/trace_id.hpp"

#include <gtest/gtest.h>

#include <set>

namespace espalier::supervisor {
namespace {

std::string hex(const auto& id) {
  std::string out;
  append_hex(out, id);
  return out;
}

TEST(TraceId, IsAsTheStandardWantsIt) {
  const auto text = hex(trace_id_of(1'795'273'653'000'000, 41));
  EXPECT_EQ(text.size(), 32u);
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(hex(std::uint64_t{0x0123456789abcdef}), "0123456789abcdef");
}

TEST(TraceId, IncidentsAndSpansOfARunAreToldApart) {
  std::set<std::string> traces;
  std::set<std::uint64_t> spans;
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    traces.insert(hex(trace_id_of(1'795'273'653'000'000, i)));
    spans.insert(span_id_of(1'795'273'653'000'000, i));
  }
  EXPECT_EQ(traces.size(), 10'000u);
  EXPECT_EQ(spans.size(), 10'000u);
  EXPECT_FALSE(spans.contains(0));
}

// Samplers keep a trace by its last seven bytes.
TEST(TraceId, ItsLowHalfIsSpread) {
  int low = 0;
  for (std::uint64_t i = 1; i <= 1000; ++i)
    low += (trace_id_of(1'795'273'653'000'000, i).low >> 55U & 1U) == 0 ? 1 : 0;
  EXPECT_NEAR(low, 500, 100);
}

}  // namespace
}  // namespace espalier::supervisor
