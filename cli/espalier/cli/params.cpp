#include "espalier/cli/params.hpp"

#include "espalier/supervisor/core/child_context.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

constexpr double longest_seconds = 10.0 * 365 * 24 * 3600;

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

std::optional<sv::Duration> parse_duration(const std::string& text) {
  static const std::map<std::string, double> units = {
      {"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}};
  const std::size_t split = text.find_first_not_of("0123456789.");
  if (split == 0 || split == std::string::npos) return std::nullopt;
  double value = 0;
  const char* const end = text.data() + split;
  const auto parsed = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  const auto unit = units.find(text.substr(split));
  if (parsed.ec != std::errc() || parsed.ptr != end || unit == units.end()) return std::nullopt;
  const double seconds = value * unit->second;
  if (seconds > longest_seconds) return std::nullopt;
  return std::chrono::round<sv::Duration>(std::chrono::duration<double>(seconds));
}

Params::Params(std::string factory, std::map<std::string, std::string> values,
               const std::vector<std::string>& known)
    : factory_(std::move(factory)), values_(std::move(values)) {
  for (const auto& [name, value] : values_) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw sv::ChildFailure(sv::FailureCategory::fatal_config,
                           factory_ + ": there is no parameter '" + name + "'; " +
                               (known.empty() ? "it takes none" : "it takes " + join(known)));
  }
}

void Params::refuse(const std::string& name, const std::string& expected) const {
  throw sv::ChildFailure(sv::FailureCategory::fatal_config, factory_ + ": parameter '" + name +
                                                                "' is '" + values_.at(name) +
                                                                "'; it must be " + expected);
}

bool Params::has(const std::string& name) const {
  return values_.count(name) != 0;
}

std::string Params::text(const std::string& name, const std::string& fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? fallback : found->second;
}

sv::Duration Params::duration(const std::string& name, sv::Duration fallback) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return fallback;
  const auto value = parse_duration(found->second);
  if (!value) refuse(name, "a time such as 250ms, 1.5s, 2m or 1h");
  return *value;
}

std::uint64_t Params::number(const std::string& name, std::uint64_t fallback) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return fallback;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    refuse(name, "a whole number, 0 or more");
  }
  return value;
}

sv::FailureCategory Params::category(const std::string& name, sv::FailureCategory fallback) const {
  using Category = sv::FailureCategory;
  const auto found = values_.find(name);
  if (found == values_.end()) return fallback;
  std::vector<std::string> words;
  for (const Category x :
       {Category::recoverable, Category::external_dependency, Category::fatal_config,
        Category::fatal_bug, Category::timeout, Category::panic, Category::unhealthy}) {
    if (found->second == sv::to_string(x)) return x;
    words.emplace_back(sv::to_string(x));
  }
  refuse(name, "one of " + join(words));
}

}  // namespace espalier::cli
