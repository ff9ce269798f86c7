#include "espalier/child_main.hpp"
#include "storm.hpp"

#include <cstdarg>
#include <cstdio>
#include <thread>

namespace espalier::benchmarks {

namespace {
bool broken = false;
}

void tell(const char* storm, bool held, const std::string& text) {
  std::printf("%-3s %s: %s\n", storm, held ? "held" : "BROKEN", text.c_str());
  std::fflush(stdout);
  broken = broken || !held;
}

bool any_broken() {
  return broken;
}

std::string text(const char* format, ...) {
  std::array<char, 512> buffer{};
  va_list values;
  va_start(values, format);
  std::vsnprintf(buffer.data(), buffer.size(), format, values);
  va_end(values);
  return buffer.data();
}

bool comes_true(const std::function<bool()>& what) {
  const auto begin = Clock::now();
  while (!what()) {
    if (ms_since(begin) > 60'000) return false;
    std::this_thread::sleep_for(std::chrono::microseconds{100});
  }
  return true;
}

}  // namespace espalier::benchmarks

int main(int argc, char** argv) {
  using namespace espalier::benchmarks;
  if (const auto code = espalier::child_main(argc, argv)) return *code;
  storms_of_restarts();
  storms_of_siblings();
  storms_of_endings();
  storm_of_moments();
  return any_broken() ? 1 : 0;
}
