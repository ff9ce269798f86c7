#include "espalier/ipc/wire/timestamp.hpp"

#include <chrono>

namespace espalier::ipc {
namespace {

// `count` digits at the front of `text`, which it takes away; absent: there are other characters.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return {};
  unsigned value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// ".001234" as microseconds, and what is behind it; none: zero.
std::optional<unsigned> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0U;
  unsigned value = 0;
  std::size_t digits = 0;
  while (const auto digit = take_digits(text, 1)) {
    if (++digits <= 6) value = value * 10 + *digit;
  }
  if (digits == 0 || digits > 9) return {};
  for (auto i = digits; i < 6; ++i)
    value *= 10;
  return value;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return {};
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return {};
  const auto day = take_digits(text, 2);
  if (!day) return {};
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{*month}, std::chrono::day{*day}};
  // The clock counts nanoseconds in 64 bits.
  if (!date.ok() || *year < 1678 || *year > 2261) return {};
  return date;
}

std::optional<std::chrono::microseconds> take_time(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return {};
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ':')) return {};
  const auto second = take_digits(text, 2);
  if (!second || *second > 59) return {};
  const auto fraction = take_fraction(text);
  if (!fraction) return {};
  return std::chrono::hours{*hour} + std::chrono::minutes{*minute} + std::chrono::seconds{*second} +
         std::chrono::microseconds{*fraction};
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, 'T')) return {};
  const auto time = take_time(text);
  if (!time || !take(text, 'Z') || !text.empty()) return {};
  return Timestamp{*date} + *time;
}

}  // namespace espalier::ipc
