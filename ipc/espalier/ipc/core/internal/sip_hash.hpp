#pragma once

#include <cstdint>
#include <string_view>

namespace espalier::ipc::internal {

struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

/// SipHash-2-4: for tables that strangers fill. Who does not know the key cannot find two texts
/// with the same hash. Some 20 ns for a short text.
[[nodiscard]] std::uint64_t sip_hash(const SipKey& key, std::string_view text);

/// Random, the same for the whole life of the process. Throws std::system_error where the system
/// has no random numbers.
[[nodiscard]] const SipKey& process_key();

}  // namespace espalier::ipc::internal
