#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace espalier::supervisor::json {

/// Appends `text` as a quoted JSON string. Children write what they like, so bytes that are not
/// UTF-8 become U+FFFD and control characters (C0, DEL, C1) are escaped: a line stays one line of
/// valid UTF-8 and drives no terminal.
void append_json_string(std::string& out, std::string_view text);

/// Appends `text` for a reader at a terminal: repaired as above, with control characters and
/// bidirectional overrides written as \n, \t, \x1b, \u202e.
void append_printable(std::string& out, std::string_view text);

/// Appends "name": and, unless it is the `first` of its object, a comma before it. `name` needs no
/// escapes.
void append_key(std::string& out, std::string_view name, bool first);

void append_number(std::string& out, std::uint64_t n);
void append_number(std::string& out, std::int64_t n);

}  // namespace espalier::supervisor::json
