#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <string>
#include <utility>

namespace espalier::cli {

/// "child.yaml:/workers": the file of a child and the path of its supervisor. The error says how
/// it is written.
[[nodiscard]] expected<std::pair<std::string, std::string>, std::string> split_file_path(
    const std::string& text);

/// A child as YAML or JSON becomes one JSON object; nothing is read into its meaning, as the
/// target does that. The error has line and column: "worker.yaml:3:7: ...". Refused besides what
/// is no YAML: keys twice, anchors that blow up, nesting that the socket does not take.
[[nodiscard]] expected<std::string, std::string> child_json(const std::string& text,
                                                            const std::string& file);

/// The text of a file; "-" is standard input. The error says what to do.
[[nodiscard]] expected<std::string, std::string> text_of_file(const std::string& file);

}  // namespace espalier::cli
