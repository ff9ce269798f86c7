#include "espalier/supervisor/observe/json_object.hpp"

#include "espalier/supervisor/core/trace_id.hpp"

#include <cstddef>
#include <cstdint>

namespace espalier::supervisor::json {

void append_timestamp(std::string& out, std::chrono::system_clock::time_point at) {
  using std::chrono::floor;
  const auto microseconds = floor<std::chrono::microseconds>(at);
  const auto day = floor<std::chrono::days>(microseconds);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{microseconds - day};
  const auto before = out.size();
  out += "0000-00-00T00:00:00.000000Z";
  // snprintf is twenty times slower, and every event has a time.
  const auto put = [&](std::size_t end, auto value) {
    char* digit = out.data() + before + end;
    for (auto rest = static_cast<std::uint32_t>(value); rest != 0; rest /= 10)
      *--digit = static_cast<char>('0' + rest % 10);
  };
  put(4, int{date.year()});  // The clock's years are 1678 to 2261.
  put(7, unsigned{date.month()});
  put(10, unsigned{date.day()});
  put(13, time.hours().count());
  put(16, time.minutes().count());
  put(19, time.seconds().count());
  put(26, time.subseconds().count());
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
  append_hex(out, trace_id_of(event.epoch, event.cause.correlation));
  out += '"';
}

}  // namespace espalier::supervisor::json
