#pragma once

#include "espalier/cli/pipeline/dead_letters.hpp"
#include "espalier/cli/pipeline/item_lines.hpp"
#include "espalier/pipeline/core/item.hpp"
#include "espalier/pipeline/declare/pipeline_spec.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace espalier::cli {

/// An item as a line of the input brings it.
struct Incoming {
  std::string id = {};
  std::uint64_t line = 0;  ///< Where it stood when it was first read; 0: unknown.
  pipeline::Json value = {};
};

/// The item is known by its field `id_field`, or by the number of its line when that is empty.
/// Otherwise what is wrong with the line.
[[nodiscard]] expected<Incoming, std::string> read_incoming(const ItemLines::Line& line,
                                                            const std::string& id_field);

/// For a line that is no item.
[[nodiscard]] DeadLetter letter_of_line(const ItemLines::Line& line, const std::string& why);

/// Ready to be fed at `stage`, with what `letter_of` needs. Its priority stands in the field
/// `priority_field`; where there is none, or no whole number, it is that of all others.
[[nodiscard]] pipeline::Item make_item(Incoming incoming, const std::string& stage,
                                       const std::string& priority_field);

/// For an item that came to nothing. Precondition: it has a failure.
[[nodiscard]] DeadLetter letter_of(const pipeline::Item& item);

/// The id it was given, or its sequence number.
[[nodiscard]] std::string id_of(const pipeline::Item& item);

}  // namespace espalier::cli
