#include "espalier/supervisor/config/internal/value_dashboard.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>

namespace espalier::supervisor::internal {

namespace {

/// `lookup` with a buffer as large as it wants.
template <class Entry, class Lookup>
std::optional<Entry> look_up(const std::string& name, Lookup lookup, std::vector<char>& buffer) {
  constexpr std::size_t most = 1UL << 20U;
  Entry entry = {};
  Entry* found = nullptr;
  for (buffer.resize(4096); buffer.size() <= most; buffer.resize(buffer.size() * 4)) {
    const int error = lookup(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE) continue;
    return error == 0 && found != nullptr ? std::optional(entry) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> number_of(const std::string& name, Account kind) {
  std::vector<char> buffer;
  if (kind == Account::user) {
    const auto entry = look_up<passwd>(name, ::getpwnam_r, buffer);
    return entry ? std::optional<std::uint32_t>(entry->pw_uid) : std::nullopt;
  }
  const auto entry = look_up<group>(name, ::getgrnam_r, buffer);
  return entry ? std::optional<std::uint32_t>(entry->gr_gid) : std::nullopt;
}

bool is_program(const std::string& text) {
  if (text.empty() || text.find('\0') != std::string::npos) return false;
  return text.front() == '/' || text.find('/') == std::string::npos;
}

}  // namespace

Value target_id_value(std::string& target) {
  auto value = name_value(target);
  value.expected += ", at most " + std::to_string(longest_target_id) + " bytes";
  value.parse = [&target](const std::string&, const Text& text) {
    if (!is_valid_name(text.text) || text.text.size() > longest_target_id) return false;
    target = text.text;
    return true;
  };
  return value;
}

Value path_value(std::string& target, std::size_t longest) {
  auto value = text_value(target);
  value.expected = "an absolute path of at most " + std::to_string(longest) + " bytes";
  value.schema = R"({"type": "string", "pattern": "^(/.*|.*\\$\\{.*)$"})";
  value.parse = [&target, longest](const std::string&, const Text& text) {
    const auto& path = text.text;
    if (path.empty() || path.front() != '/' || path.size() > longest) return false;
    if (path.find('\0') != std::string::npos) return false;
    target = path;
    return true;
  };
  return value;
}

Value mode_value(std::uint32_t& target) {
  std::optional<std::uint32_t> unbound;
  auto value = umask_value(unbound);
  value.expected = "an octal mode from 0000 to 0777, such as \"0600\"";
  value.parse = [&target](const std::string& key, const Text& text) {
    std::optional<std::uint32_t> mode;
    if (!umask_value(mode).parse(key, text)) return false;
    target = *mode;
    return true;
  };
  value.render = [&target] {
    std::array<char, 16> text = {};
    std::snprintf(text.data(), text.size(), "\"%04o\"", target);
    return std::string(text.data());
  };
  return value;
}

Value size_value(std::size_t& target, std::uint64_t min, std::uint64_t max) {
  std::optional<std::uint64_t> unbound;
  auto value = count_value(unbound, true);
  value.expected = "a number of bytes or a size such as 64KiB, from " + std::to_string(min) +
                   " to " + std::to_string(max);
  value.schema = R"({"type": ["integer", "string"], "minimum": )" + std::to_string(min) +
                 R"(, "maximum": )" + std::to_string(max) + "}";
  value.parse = [&target, min, max](const std::string& key, const Text& text) {
    std::optional<std::uint64_t> number;
    if (!count_value(number, true).parse(key, text) || *number < min || *number > max) return false;
    target = *number;
    return true;
  };
  value.render = [&target] { return std::to_string(target); };
  return value;
}

Value program_list_value(std::vector<std::string>& target) {
  auto value = text_list_value(target);
  value.expected = "an absolute path, or a name without a slash";
  value.schema = R"({"type": "string", "pattern": "^(/.*|[^/]+|.*\\$\\{.*)$"})";
  value.parse = [&target](const std::string&, const Text& text) {
    target.push_back(text.text);
    return is_program(text.text);
  };
  return value;
}

Value account_list_value(std::vector<std::uint32_t>& target, Account kind) {
  const std::string what = kind == Account::user ? "user" : "group";
  Value value;
  value.shape = Value::Shape::list;
  value.expected = "a number, or the name of a " + what + " of this machine";
  value.schema = R"({"type": ["integer", "string"], "minimum": 0})";
  value.clear = [&target] { target.clear(); };
  value.parse = [&target, kind](const std::string&, const Text& text) {
    // The number -1 means "none" to the kernel.
    constexpr auto most = std::numeric_limits<std::uint32_t>::max() - 1;
    const auto number = parse_integer(text, 0, most);
    const auto id =
        number ? std::optional(static_cast<std::uint32_t>(*number)) : number_of(text.text, kind);
    if (id) target.push_back(*id);
    return id.has_value();
  };
  value.render = [&target]() -> std::string {
    std::string text;
    for (const auto id : target)
      text += (text.empty() ? "[" : ", ") + std::to_string(id);
    return text.empty() ? text : text + "]";
  };
  return value;
}

}  // namespace espalier::supervisor::internal
