#include "espalier/supervisor/observe/internal/json_object.hpp"

#include <array>
#include <cstdio>

namespace espalier::supervisor::internal {

void append_timestamp(std::string& out, std::chrono::system_clock::time_point at) {
  using std::chrono::floor;
  const auto microseconds = floor<std::chrono::microseconds>(at);
  const auto day = floor<std::chrono::days>(microseconds);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{microseconds - day};
  std::array<char, 64> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int{date.year()},
      unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(time.hours().count()),
      static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
      static_cast<int>(time.subseconds().count()));
  out.append(text.data(), static_cast<std::size_t>(length));
}

void append_ms(std::string& out, Duration d) {
  constexpr std::uint64_t per_ms = 1'000'000;
  const bool negative = d < Duration::zero();
  const auto bits = static_cast<std::uint64_t>(d.count());
  const std::uint64_t size = negative ? 0 - bits : bits;  // Defined for the least value too.
  if (negative) out += '-';
  append_number(out, size / per_ms);
  auto rest = size % per_ms;
  if (rest == 0) return;
  out += '.';
  for (auto digit = per_ms / 10; rest != 0; digit /= 10) {
    out += static_cast<char>('0' + rest / digit);
    rest %= digit;
  }
}

void add_correlation(JsonObject& json, const Event& event) {
  if (event.cause.correlation == 0) return;
  auto& out = json.key("correlation_id");
  out += '"';
  append_number(out, event.epoch);
  out += '-';
  append_number(out, event.cause.correlation);
  out += '"';
}

}  // namespace espalier::supervisor::internal
