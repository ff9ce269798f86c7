#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::ipc {

/// The word that was probably meant: the one with the fewest edits, at most a third of its length.
/// Empty: none is near. Long texts are near nothing, so the cost is bounded.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> known);
/// " (did you mean path?)", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> known);
/// "a, b, c".
[[nodiscard]] std::string list_of(std::span<const std::string_view> words);

/// A stranger's word for a sentence: in quotes, cut after 64 bytes, on one line.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace espalier::ipc
