#include "espalier/pipeline/core/internal/key_gate.hpp"

#include <map>

namespace espalier::pipeline {

bool KeyGate::enter(std::uint64_t key, Item& item) {
  const auto name = name_of(item);
  const auto [at, is_free] = lines_.try_emplace(key);
  if (is_free) {
    at->second.holder = name;
    keys_.emplace(name, key);
    return true;
  }
  at->second.waiting.push_back(std::move(item));
  ++waiting_;
  return false;
}

std::optional<Item> KeyGate::leave(const Item& item) {
  const auto known = keys_.find(name_of(item));
  if (known == keys_.end()) return std::nullopt;
  const auto key = known->second;
  keys_.erase(known);
  const auto at = lines_.find(key);
  auto& line = at->second;
  if (line.waiting.empty()) {
    lines_.erase(at);
    return std::nullopt;
  }
  std::optional<Item> next{line.waiting.take_front()};
  --waiting_;
  line.holder = name_of(*next);
  keys_.emplace(line.holder, key);
  return next;
}

std::optional<ItemName> KeyGate::holder_before(ItemSeq seq) const {
  for (const auto& [key, line] : lines_) {
    for (std::size_t i = 0; i < line.waiting.size(); ++i) {
      if (line.waiting[i].seq == seq) return line.holder;
    }
  }
  return std::nullopt;
}

std::optional<Item> KeyGate::take_oldest() {
  std::optional<ItemName> oldest;
  for (const auto& [key, line] : lines_) {
    for (std::size_t i = 0; i < line.waiting.size(); ++i) {
      const auto name = name_of(line.waiting[i]);
      if (!oldest || name < *oldest) oldest = name;
    }
  }
  std::optional<Item> found;
  if (!oldest) return found;
  take_all([&](const Item& item) { return name_of(item) == *oldest; },
           [&](Item item) { found = std::move(item); });
  return found;
}

void KeyGate::take_all(const std::function<bool(const Item&)>& wanted,
                       const std::function<void(Item)>& taken) {
  std::map<ItemName, Item> found;  // In an order that does not depend on hashes.
  for (auto& [key, line] : lines_) {
    for (auto left = line.waiting.size(); left > 0; --left) {
      auto item = line.waiting.take_front();
      if (wanted(item)) {
        const auto name = name_of(item);
        found.emplace(name, std::move(item));
      } else {
        line.waiting.push_back(std::move(item));
      }
    }
  }
  waiting_ -= found.size();
  for (auto& [name, item] : found)
    taken(std::move(item));
}

void KeyGate::clear() {
  lines_.clear();
  keys_.clear();
  waiting_ = 0;
}

}  // namespace espalier::pipeline
