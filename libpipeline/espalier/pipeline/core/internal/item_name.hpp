#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>

namespace espalier::pipeline {

/// Tells an item from all others of its run while it is at a stage: parts of one fed item share
/// its seq, and what was combined begins to count its parts anew, with an ItemInfo of its own.
struct ItemName {
  ItemSeq seq = 0;
  std::uint32_t part = 0;
  const ItemInfo* info = nullptr;
  auto operator<=>(const ItemName&) const = default;
  bool operator==(const ItemName&) const = default;
};

[[nodiscard]] inline ItemName name_of(const Item& item) {
  return {item.seq, item.part, item.info.get()};
}

struct ItemNameHash {
  std::size_t operator()(const ItemName& name) const {
    return static_cast<std::size_t>(name.seq * 0x9E3779B97F4A7C15u + name.part);
  }
};

}  // namespace espalier::pipeline
