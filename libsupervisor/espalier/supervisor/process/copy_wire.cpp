#include "espalier/supervisor/process/copy_wire.hpp"

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <type_traits>
#include <utility>

namespace espalier::supervisor::wire {

namespace {

using Fields = std::vector<std::string>;

constexpr std::size_t max_text = std::size_t{16} * 1024;
constexpr std::size_t max_fields = 4096;

void add(std::string& packet, std::string_view field) {
  packet += std::to_string(field.size());
  packet += ':';
  packet += field;
  packet += ',';
}

std::string join(const Fields& fields) {
  std::string packet;
  for (const auto& field : fields)
    add(packet, field);
  return packet;
}

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number result = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, result, base);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return result;
}

std::optional<Fields> split(std::string_view packet) {
  if (packet.empty() || packet.size() > max_message) return std::nullopt;
  Fields fields;
  while (!packet.empty()) {
    const auto colon = packet.substr(0, 6).find(':');
    if (colon == std::string_view::npos || fields.size() == max_fields) return std::nullopt;
    const auto size = number<std::size_t>(packet.substr(0, colon));
    packet.remove_prefix(colon + 1);
    if (!size || *size >= packet.size() || packet[*size] != ',') return std::nullopt;
    fields.emplace_back(packet.substr(0, *size));
    packet.remove_prefix(*size + 1);
  }
  return fields;
}

std::string cut(const std::string& text) {
  return text.size() <= max_text ? text : text.substr(0, max_text) + " ...";
}

template <class Enum>
std::optional<Enum> enumerator(std::string_view text, Enum last) {
  const auto value = number<std::underlying_type_t<Enum>>(text);
  if (!value || *value > static_cast<std::underlying_type_t<Enum>>(last)) return std::nullopt;
  return static_cast<Enum>(*value);
}

template <class Enum>
std::string digits(Enum value) {
  return std::to_string(static_cast<unsigned>(value));
}

struct ToFields {
  Fields operator()(const Running&) const { return {"running"}; }
  Fields operator()(const Ready&) const { return {"ready"}; }
  Fields operator()(const Alive&) const { return {"alive"}; }
  Fields operator()(const Status& x) const { return {"status", cut(x.text)}; }
  Fields operator()(const Asks& x) const { return {"asks", digits(x.wish), cut(x.reason)}; }
  Fields operator()(const Ended& x) const {
    return {"ended", digits(x.kind), digits(x.category), cut(x.message)};
  }
  Fields operator()(const Crashed& x) const {
    CrashPacket packet = {};
    const auto size = encode_crash(x, packet);
    return *split({packet.data(), size});
  }
};

std::optional<FromCopy> parse_ended(const Fields& fields) {
  const auto kind = enumerator(fields[1], ExitKind::panicked);
  const auto category = enumerator(fields[2], FailureCategory::cancelled);
  if (!kind || !category) return std::nullopt;
  return Ended{*kind, *category, fields[3]};
}

std::optional<FromCopy> parse_crashed(const Fields& fields) {
  const auto signal = number<int>(fields[1], 16);
  const auto code = number<std::uint32_t>(fields[2], 16);
  const auto address = number<std::uint64_t>(fields[3], 16);
  const auto stack = number<std::uint64_t>(fields[4], 16);
  if (!signal || !code || !address || !stack) return std::nullopt;
  return Crashed{*signal, static_cast<int>(*code), *address, *stack};
}

/// A netstring of hexadecimal digits.
char* put_hex(char* to, std::uint64_t value, int width) noexcept {
  constexpr const char* hex = "0123456789abcdef";
  if (width > 9) *to++ = '1';
  *to++ = static_cast<char>('0' + width % 10);
  *to++ = ':';
  for (int shift = 4 * (width - 1); shift >= 0; shift -= 4)
    *to++ = hex[(value >> shift) & 15U];
  *to++ = ',';
  return to;
}

std::string name_of(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "segmentation fault";
    case SIGBUS:
      return "bus error";
    case SIGFPE:
      return "arithmetic error";
    case SIGILL:
      return "illegal instruction";
    case SIGABRT:
      return "abort";
    default:
      return "signal " + std::to_string(signal);
  }
}

/// A push below the end of the stack, or a local variable of a frame that reaches past it.
bool overflowed_stack(const Crashed& crash) {
  constexpr std::uint64_t below = std::uint64_t{64} * 1024;
  constexpr std::uint64_t above = std::uint64_t{16} * 1024 * 1024;
  return crash.stack > below && crash.address >= crash.stack - below &&
         crash.address <= crash.stack + above;
}

}  // namespace

std::string encode(const CopyCall& call) {
  const auto interval = std::chrono::nanoseconds{call.heartbeat_interval}.count();
  Fields fields{"call",
                call.factory,
                call.path,
                std::to_string(call.generation),
                std::to_string(call.attempt),
                std::to_string(interval)};
  for (const auto& [name, value] : call.params) {
    fields.push_back(name);
    fields.push_back(value);
  }
  return join(fields);
}

std::optional<CopyCall> parse_call(std::string_view packet) {
  const auto fields = split(packet);
  if (!fields || fields->size() < 6 || fields->size() % 2 != 0) return std::nullopt;
  const auto& all = *fields;
  const auto generation = number<std::uint64_t>(all[3]);
  const auto attempt = number<std::uint64_t>(all[4]);
  const auto interval = number<std::int64_t>(all[5]);
  if (all[0] != "call" || !generation || !attempt || !interval) return std::nullopt;
  CopyCall call{.factory = all[1],
                .path = all[2],
                .generation = *generation,
                .attempt = *attempt,
                .heartbeat_interval = std::chrono::nanoseconds{*interval}};
  for (std::size_t i = 6; i < all.size(); i += 2)
    call.params[all[i]] = all[i + 1];
  return call;
}

std::string encode(const FromCopy& message) {
  return join(std::visit(ToFields{}, message));
}

std::optional<FromCopy> parse_from_copy(std::string_view packet) {
  const auto fields = split(packet);
  if (!fields) return std::nullopt;
  const auto is = [&](std::string_view name, std::size_t size) {
    return fields->front() == name && fields->size() == size;
  };
  if (is("running", 1)) return Running{};
  if (is("ready", 1)) return Ready{};
  if (is("alive", 1)) return Alive{};
  if (is("status", 2)) return Status{(*fields)[1]};
  if (is("asks", 3)) {
    const auto wish = enumerator((*fields)[1], input::Wish::shutdown);
    if (wish) return Asks{*wish, (*fields)[2]};
  }
  if (is("ended", 4)) return parse_ended(*fields);
  if (is("crashed", 5)) return parse_crashed(*fields);
  return std::nullopt;
}

std::size_t encode_crash(const Crashed& crash, CrashPacket& packet) noexcept {
  constexpr std::string_view name = "7:crashed,";
  char* to = std::copy(name.begin(), name.end(), packet.data());
  to = put_hex(to, static_cast<std::uint64_t>(crash.signal), 2);
  to = put_hex(to, static_cast<std::uint32_t>(crash.code), 8);
  to = put_hex(to, crash.address, 16);
  to = put_hex(to, crash.stack, 16);
  return static_cast<std::size_t>(to - packet.data());
}

std::string describe(const Crashed& crash) {
  const auto name = name_of(crash.signal);
  if (crash.signal == SIGABRT) return name;
  if (crash.code <= 0) return name + ", sent by a process";
  // What the processor refuses without looking it up: an address no pointer can have.
  if (crash.code == SI_KERNEL) return name + " at an address that cannot be";
  char address[32] = {};
  std::snprintf(address, sizeof address, "0x%llx", static_cast<unsigned long long>(crash.address));
  if (crash.signal == SIGSEGV && overflowed_stack(crash)) {
    return "stack overflow: " + name + " at address " + address;
  }
  return name + " at address " + address;
}

}  // namespace espalier::supervisor::wire
