#pragma once

#include "espalier/supervisor/config/internal/value.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier::supervisor::internal {

inline constexpr std::size_t longest_target_id = 64;

/// A name of at most longest_target_id bytes.
[[nodiscard]] Value target_id_value(std::string& target);
/// An absolute path of at most `longest` bytes.
[[nodiscard]] Value path_value(std::string& target, std::size_t longest);
/// Permissions of a file, octal however they are written: "0600", 0600, 0o600.
[[nodiscard]] Value mode_value(std::uint32_t& target);
/// Bytes, or a size such as 64KiB, from `min` to `max`.
[[nodiscard]] Value size_value(std::size_t& target, std::uint64_t min, std::uint64_t max);
/// Programs: absolute paths, or names without a slash.
[[nodiscard]] Value program_list_value(std::vector<std::string>& target);

enum class Account : std::uint8_t { user, group };
/// Numbers, or names that this machine knows now; kept and rendered as numbers.
[[nodiscard]] Value account_list_value(std::vector<std::uint32_t>& target, Account kind);

}  // namespace espalier::supervisor::internal
