#pragma once

#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace espalier::cli {

/// "250ms", "1.5s", "2m", "1h"; nullopt for anything else, and for what exceeds ten years.
[[nodiscard]] std::optional<supervisor::Duration> parse_duration(const std::string& text);

/// The `params` of a built-in child, read with checks. Every fault is a ChildFailure of category
/// fatal_config whose sentence names the factory, the parameter and what it may be.
class Params {
 public:
  Params(std::string factory, std::map<std::string, std::string> values,
         const std::vector<std::string>& known);

  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& fallback) const;
  [[nodiscard]] supervisor::Duration duration(const std::string& name,
                                              supervisor::Duration fallback) const;
  [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t fallback) const;
  [[nodiscard]] supervisor::FailureCategory category(const std::string& name,
                                                     supervisor::FailureCategory fallback) const;

 private:
  [[noreturn]] void refuse(const std::string& name, const std::string& expected) const;

  std::string factory_;
  std::map<std::string, std::string> values_;
};

}  // namespace espalier::cli
