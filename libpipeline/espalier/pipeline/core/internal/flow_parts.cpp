#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::pipeline {

void Flow::Impl::expand(Node& node, Item item) {
  auto values = std::move(item.value.as<std::vector<Value>>());
  if (values.empty()) return end_item(std::move(item), Outcome::skipped, node);
  if (values.size() > 1) {
    if (!item.info) item.info = std::make_shared<ItemInfo>();
    item.info->open_parts += static_cast<std::uint32_t>(values.size() - 1);
  }
  flush_out(node);
  for (std::size_t i = 0; i < values.size(); ++i) {
    Item part;
    part.value = std::move(values[i]);
    part.seq = item.seq;
    part.info = item.info;
    part.priority = item.priority;
    part.part = i == 0 ? item.part : item.info->next_part++;
    send_part(node, item.port, std::move(part), i == 0);
  }
  flush_out(node);
}

void Flow::Impl::spread(Node& node, Item item) {
  auto values = std::move(item.value.as<std::vector<Value>>());
  const auto count = std::min(values.size(), node.plan->next.size());
  if (count == 0) return end_item(std::move(item), Outcome::skipped, node);
  if (!item.info) item.info = std::make_shared<ItemInfo>();
  item.info->open_parts += static_cast<std::uint32_t>(count - 1);
  for (std::size_t i = 0; i < count; ++i) {
    Item part;
    part.value = std::move(values[i]);
    part.seq = item.seq;
    part.info = item.info;
    part.priority = item.priority;
    part.part = i == 0 ? item.part : item.info->next_part++;
    send_part(node, i, std::move(part), true);
  }
}

void Flow::Impl::send_part(Node& node, std::size_t port, Item part, bool has_place) {
  part.port = static_cast<std::uint16_t>(port);
  if (cancelled_ || has_place || port >= node.plan->next.size()) {
    return pass_on(node, std::move(part));
  }
  const auto to = node.plan->next[port];
  const auto waiting = out_[port] ? out_[port]->items.size() : 0;
  if (node.spill.empty() && room_at(to) > waiting) return pass_on(node, std::move(part));
  part.port = 0;
  if (node.spill.empty()) ++spilling_;
  moved(node, port, part.seq, 1);
  node.spill.push_back({to, std::move(part)});
}

void Flow::Impl::unspill() {
  for (auto* node : order_) {
    if (node->spill.empty()) continue;
    while (!node->spill.empty() && room_at(node->spill.front().to) > 0) {
      auto next = node->spill.take_front();
      if (next.to == output_node) {
        end_item(std::move(next.item), Outcome::succeeded, *node);
        continue;
      }
      auto& target = *nodes_[next.to];
      target.pass_time(now_);
      auto chunk = pool_.get();
      chunk->items.push_back(std::move(next.item));
      arrive(target, std::move(chunk));
    }
    if (node->spill.empty()) --spilling_;
  }
}

/// The first item has become the batch; the others end as it ends, whatever becomes of it.
void Flow::Impl::combine(Chunk& chunk) {
  auto& items = chunk.items;
  const auto absorbed = std::any_of(items.begin() + 1, items.end(), [](const Item& item) {
    return item.verdict == Verdict::absorbed;
  });
  if (!absorbed) return;
  auto& first = items.front();
  auto info = std::make_shared<ItemInfo>();
  if (first.info) {
    info->id = first.info->id;
    info->metadata = first.info->metadata;
  }
  info->members.push_back({first.seq, std::move(first.info)});
  for (auto& item : items) {
    if (&item == &first || item.verdict != Verdict::absorbed) continue;
    info->members.push_back({item.seq, std::move(item.info)});
    first.priority = std::min(first.priority, item.priority);
  }
  first.info = std::move(info);
}

}  // namespace espalier::pipeline
