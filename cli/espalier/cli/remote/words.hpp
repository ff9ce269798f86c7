#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/ipc/wire/snapshot.hpp"

#include <cstdint>
#include <string>

namespace espalier::cli {

/// "850ms", "12s", "3m20s", "4h12m", "3d4h": short enough for a column. Negative counts as none.
[[nodiscard]] std::string short_span(double milliseconds);
[[nodiscard]] std::string short_span(std::chrono::nanoseconds span);
/// From `then` to `now`, as above.
[[nodiscard]] std::string age(ipc::Timestamp then, ipc::Timestamp now);
/// "01-31 12:03:07.001", UTC: month, day and time of an RFC 3339 text; other text as it is.
[[nodiscard]] std::string short_time(const std::string& rfc3339);
[[nodiscard]] std::string short_time(ipc::Timestamp at);
/// "12 MiB"
[[nodiscard]] std::string short_bytes(std::uint64_t bytes);
/// "1 restart", "2 restarts"
[[nodiscard]] std::string count_of(std::uint64_t n, const std::string& what);

/// Ended badly and not by an operator's wish, and nothing will start it again by itself.
[[nodiscard]] bool has_failed(const ipc::NodeInfo& node);
/// What a node's phase is called, and how it looks: "stopped (by an operator)" where that matters.
[[nodiscard]] std::string phase_word(const ipc::NodeInfo& node);
[[nodiscard]] Ink ink_of(const ipc::NodeInfo& node);
[[nodiscard]] Ink ink_of_state(const std::string& tree_state);

/// "3/10 in 1m", "2" (no limit), "-" (none so far)
[[nodiscard]] std::string restarts_text(const ipc::RestartsInfo& restarts);
/// "exit code 1 (recoverable): no route to host"
[[nodiscard]] std::string exit_text(const ipc::ExitInfo& exit);

}  // namespace espalier::cli
