// F3: however bytes are cut on their way the lines are the same, and memory stays bounded.
#include "espalier/ipc/core/framer.hpp"
#include "fuzz/require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::ipc {
namespace {

constexpr std::size_t largest_read = 4096;

struct Cut {
  std::vector<std::string> lines = {};
  bool too_long = false;
  std::size_t unfinished = 0;
};

void take(Framer& framer, std::size_t max, std::string_view bytes, Cut& into) {
  framer.feed(bytes);
  while (const auto line = framer.next()) {
    require(!line->empty() && line->size() <= max, "a line is neither empty nor too long");
    require(line->find('\n') == std::string_view::npos, "a line holds no newline");
    into.lines.emplace_back(*line);
  }
  into.too_long = framer.too_long();
  into.unfinished = framer.unfinished();
  require(into.unfinished <= max, "what waits for its end is no longer than a line");
}

// The first byte gives the greatest length, the second begins a sequence of sizes of reads.
void run(std::string_view input) {
  if (input.size() < 2) return;
  const auto max = std::size_t{1} << (static_cast<unsigned char>(input[0]) % 17U);
  auto state = static_cast<std::uint32_t>(static_cast<unsigned char>(input[1]));
  input.remove_prefix(2);

  Cut whole;
  Framer one{max};
  take(one, max, input, whole);

  Cut parts;
  Framer many{max};
  while (!input.empty()) {
    state = state * 1664525U + 1013904223U;
    const auto bits = (state >> 8U) % 13U;
    const auto count = std::min<std::size_t>(1 + (state >> 16U) % (1U << bits), largest_read);
    take(many, max, input.substr(0, count), parts);
    require(many.held() <= max + largest_read, "memory is a line and a read");
    input.remove_prefix(std::min(count, input.size()));
  }
  require(parts.lines == whole.lines, "the same lines");
  require(parts.too_long == whole.too_long, "the same end");
  require(parts.unfinished == whole.unfinished, "the same rest");
}

}  // namespace
}  // namespace espalier::ipc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  espalier::ipc::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
