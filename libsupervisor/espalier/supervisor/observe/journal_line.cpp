#include "espalier/supervisor/observe/journal_line.hpp"

#include "espalier/supervisor/observe/json_text.hpp"

#include <boost/crc.hpp>

#include <algorithm>
#include <charconv>

namespace espalier::supervisor {
namespace {

constexpr std::string_view position_key = ",\"position\":";
constexpr std::string_view checksum_key = ",\"crc32\":\"";
constexpr std::string_view end_of_line = "\"}";
constexpr std::size_t digits = 8;
constexpr std::size_t longest_number = 20;

std::uint32_t checksum(std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return crc.checksum();
}

void append_checksum(std::string& out, std::uint32_t value) {
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  out += checksum_key;
  for (std::size_t i = digits; i-- > 0;)
    out += hexadecimal[(value >> (4 * i)) & 0xFU];
  out += end_of_line;
}

unexpected<std::string> bad(const char* why) {
  return unexpected<std::string>{why};
}

}  // namespace

void seal_journal_line(std::string& out, std::size_t begin, std::uint64_t position) {
  out.pop_back();
  out += position_key;
  json::append_number(out, position);
  append_checksum(out, checksum(std::string_view{out}.substr(begin)));
}

expected<std::uint64_t, std::string> check_journal_line(std::string_view line) {
  const auto tail = checksum_key.size() + digits + end_of_line.size();
  const bool formed = line.size() > tail && line.ends_with(end_of_line) &&
                      line.substr(line.size() - tail).starts_with(checksum_key);
  if (!formed) return bad("it does not end as a line of a journal does");
  const auto sealed = line.substr(0, line.size() - tail);
  std::string right;
  append_checksum(right, checksum(sealed));
  if (line.substr(sealed.size()) != right) return bad("its checksum is wrong");
  const auto from = sealed.size() - std::min(sealed.size(), position_key.size() + longest_number);
  const auto key = sealed.substr(from).rfind(position_key);
  if (key == std::string_view::npos) return bad("it has no position");
  const auto number = sealed.substr(from + key + position_key.size());
  std::uint64_t position = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), position);
  const bool whole = parsed.ec == std::errc{} && parsed.ptr == number.data() + number.size();
  if (!whole || position == 0) return bad("its position is no number from 1");
  return position;
}

// Before it stand only words and numbers of ours: no text of a child can look like it.
std::string_view time_of_journal_line(std::string_view line) {
  constexpr std::string_view key = "\"at\":\"";
  const auto found = line.find(key);
  if (found == std::string_view::npos) return {};
  const auto begin = found + key.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

std::uint64_t run_of_journal_line(std::string_view line) {
  constexpr std::string_view key = "\"epoch\":";
  const auto found = line.find(key);
  std::uint64_t run = 0;
  if (found == std::string_view::npos) return run;
  std::from_chars(line.data() + found + key.size(), line.data() + line.size(), run);
  return run;
}

JournalOrder::Finding JournalOrder::add(std::string_view line) {
  const auto position = check_journal_line(line);
  if (!position) {
    lose_track();
    return {0, position.error(), 0};
  }
  Finding finding{*position, {}, 0};
  if (next_ != 0 && *position > next_) finding.missing = *position - next_;
  if (next_ != 0 && *position < next_) {
    finding.problem = "its position is " + std::to_string(*position) + ", and " +
                      std::to_string(next_) + " was to come";
  }
  next_ = *position + 1;
  return finding;
}

}  // namespace espalier::supervisor
