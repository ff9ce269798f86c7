#pragma once

#include "espalier/pipeline/core/internal/item_name.hpp"
#include "espalier/pipeline/core/internal/ring.hpp"
#include "espalier/pipeline/core/item.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

namespace espalier::pipeline {

/// Lets one item of a key into a stage at a time, those of one key as they came; different keys do
/// not hinder each other. An item holds its key until it leaves the stage, retries included. O(1).
class KeyGate {
 public:
  /// True: the item may go in, and holds the key now. False: it was taken, and waits.
  [[nodiscard]] bool enter(std::uint64_t key, Item& item);
  /// The item has left the stage. The next of its key, which holds the key now, if one waits.
  [[nodiscard]] std::optional<Item> leave(const Item& item);
  /// Who holds the key for which the item with this seq waits.
  [[nodiscard]] std::optional<ItemName> holder_before(ItemSeq seq) const;
  /// The one of those that wait with the lowest seq; none: nobody waits. O(items).
  [[nodiscard]] std::optional<Item> take_oldest();
  /// Items that wait.
  [[nodiscard]] std::size_t size() const { return waiting_; }
  /// Hands every waiting item of which `wanted` is true to `taken`. O(keys + items).
  void take_all(const std::function<bool(const Item&)>& wanted,
                const std::function<void(Item)>& taken);
  void clear();

 private:
  struct Line {
    ItemName holder = {};
    Ring<Item> waiting = {};
  };

  std::unordered_map<std::uint64_t, Line> lines_ = {};
  std::unordered_map<ItemName, std::uint64_t, ItemNameHash> keys_ = {};  ///< Of holders.
  std::size_t waiting_ = 0;
};

}  // namespace espalier::pipeline
