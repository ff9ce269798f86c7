#pragma once

#include "espalier/ipc/wire/error.hpp"
#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace espalier::ipc {

/// One row for every method: all that a server, a reader and the schema need to know of it but
/// what it does.
struct MethodInfo {
  std::string_view name = {};
  std::optional<MethodClass> right = {};  ///< What a peer must be allowed to; absent: to connect.
  bool is_command = false;                ///< CommandParams in, CommandAnswer out.
  std::uint64_t timeout_ms = 0;           ///< How long its answer is waited for.
  std::string_view params = {};           ///< Their name in `$defs` of ipc.schema.json.
  std::string_view result = {};           ///< Its name there.

  /// It needs `confirmed: true`.
  [[nodiscard]] constexpr bool is_dangerous() const { return right == MethodClass::dangerous; }
};

/// Of a target, in the order of docs/ipc.md.
[[nodiscard]] std::span<const MethodInfo> methods();
/// Of a relay: what a target that registers calls there.
[[nodiscard]] std::span<const MethodInfo> relay_methods();

/// Of a target. Null: there is no such method.
[[nodiscard]] const MethodInfo* find_method(std::string_view name);

/// `unknown_method`, with the nearest name there is.
[[nodiscard]] WireError unknown_method(std::string_view name);

}  // namespace espalier::ipc
