#include "espalier/supervisor/observe/json_object.hpp"

namespace espalier::supervisor::json {

namespace {

// `digits` of them, with zeros in front; snprintf is ten times slower, and every event has a time.
void append_padded(std::string& out, unsigned value, unsigned digits) {
  unsigned unit = 1;
  for (unsigned i = 1; i < digits; ++i)
    unit *= 10;
  for (; unit != 0; unit /= 10)
    out += static_cast<char>('0' + value / unit % 10);
}

}  // namespace

void append_timestamp(std::string& out, std::chrono::system_clock::time_point at) {
  using std::chrono::floor;
  const auto microseconds = floor<std::chrono::microseconds>(at);
  const auto day = floor<std::chrono::days>(microseconds);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{microseconds - day};
  // The clock's years are 1678 to 2261.
  append_padded(out, static_cast<unsigned>(int{date.year()}), 4);
  append_padded(out += '-', unsigned{date.month()}, 2);
  append_padded(out += '-', unsigned{date.day()}, 2);
  append_padded(out += 'T', static_cast<unsigned>(time.hours().count()), 2);
  append_padded(out += ':', static_cast<unsigned>(time.minutes().count()), 2);
  append_padded(out += ':', static_cast<unsigned>(time.seconds().count()), 2);
  append_padded(out += '.', static_cast<unsigned>(time.subseconds().count()), 6);
  out += 'Z';
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

}  // namespace espalier::supervisor::json
