#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Lines of backtrace_symbols_fd as a person reads them: "decode(Frame&) +0x1c (player)", names
/// demangled. A frame of this very program that the dynamic symbols do not name is looked up in
/// its symbol table, if it was not stripped. What cannot be read stays as it is.
///
/// Cost: may read this program's symbol table, milliseconds for a large one.
[[nodiscard]] std::vector<std::string> readable_trace(const std::vector<std::string>& lines);

/// Offsets in an ELF file, each with the mangled name and the start of the function around it, as
/// far as its symbol table tells. Nothing for what is no ELF file of this machine.
struct FunctionAt {
  std::string name = {};
  std::uint64_t start = 0;
};
[[nodiscard]] std::map<std::uint64_t, FunctionAt> functions_at(
    const std::string& file, const std::vector<std::uint64_t>& offsets);

}  // namespace espalier::supervisor
