#include "espalier/pipeline/track/item_history.hpp"

#include <algorithm>
#include <charconv>

namespace espalier::pipeline {

std::optional<ItemSeq> ItemHistory::find(const std::string& id) const {
  const auto own = ids_.find(id);
  if (own != ids_.end()) return own->second;
  ItemSeq seq = 0;
  const auto [end, problem] = std::from_chars(id.data(), id.data() + id.size(), seq);
  if (problem != std::errc{} || end != id.data() + id.size()) return std::nullopt;
  const Block* block = block_of(seq);
  if (block == nullptr || std::to_string(seq) != id) return std::nullopt;
  const bool has_own = block->infos && (*block->infos)[seq % block_size] &&
                       !(*block->infos)[seq % block_size]->id.empty();
  return has_own ? std::nullopt : std::optional{seq};
}

StatusEvent ItemHistory::event_of(std::uint64_t number, const Block& block, std::size_t item,
                                  std::size_t place) const {
  const Record& record = block.records[place];
  StatusEvent event;
  event.seq = number * block_size + item;
  if (block.infos && (*block.infos)[item]) {
    event.item = (*block.infos)[item]->id;
    event.metadata = (*block.infos)[item]->metadata;
  }
  if (event.item.empty()) event.item = std::to_string(event.seq);
  event.stage = naming_.stage(record.node);
  event.status = record.status;
  event.worker = naming_.worker(record.node, record.worker);
  if (record.worker != TrackEvent::no_worker) event.worker_number = record.worker;
  event.at = record.at;
  event.wall = naming_.wall(record.at);
  event.attempt = record.attempt;
  if (record.error > 0) {
    event.error = block.errors[record.error - 1U]->first;
    event.error_type = block.errors[record.error - 1U]->second;
  }
  const Record* before = nullptr;
  for (std::size_t i = place; i-- > 0 && before == nullptr;) {
    if (block.records[i].covers(item)) before = &block.records[i];
  }
  if (before != nullptr) add_times(event, record, *before);
  return event;
}

void ItemHistory::add_times(StatusEvent& event, const Record& record, const Record& before) {
  const Duration since = record.at - before.at;
  const bool same_stage = record.node == before.node;
  switch (record.status) {
    case Status::in_progress:
      if (same_stage && before.status == Status::queued) event.queue_wait = since;
      break;
    case Status::queued:
      if (!same_stage && before.status == Status::completed) event.blocked_time = since;
      break;
    case Status::completed:
    case Status::failed:
    case Status::retrying:
      if (record.took > Duration::zero()) {
        event.service_time = record.took;
      } else if (same_stage && before.status == Status::in_progress) {
        event.service_time = since;
      }
      break;
    case Status::skipped:
    case Status::cancelled:
      break;
  }
}

std::optional<StatusEvent> ItemHistory::last_of(std::uint64_t number, const Block& block,
                                                std::size_t item) const {
  for (std::size_t i = block.records.size(); i-- > 0;) {
    if (block.records[i].covers(item)) return event_of(number, block, item, i);
  }
  return std::nullopt;
}

std::optional<StatusEvent> ItemHistory::last(ItemSeq seq) const {
  const Block* block = block_of(seq);
  if (block == nullptr) return std::nullopt;
  return last_of(seq / block_size, *block, seq % block_size);
}

std::vector<StatusEvent> ItemHistory::all(ItemSeq seq) const {
  std::vector<StatusEvent> events;
  const Block* block = block_of(seq);
  if (block == nullptr) return events;
  for (std::size_t i = 0; i < block->records.size(); ++i) {
    if (!block->records[i].covers(seq % block_size)) continue;
    events.push_back(event_of(seq / block_size, *block, seq % block_size, i));
  }
  return events;
}

std::vector<StatusEvent> ItemHistory::by_status(Status status, std::size_t most) const {
  std::vector<StatusEvent> events;
  for (const auto& [number, block] : blocks_) {
    for (std::size_t item = 0; item < block_size; ++item) {
      if (events.size() >= most) return events;
      if (!block.items[item].known || block.items[item].status != status) continue;
      auto event = last_of(number, block, item);
      if (event) events.push_back(std::move(*event));
    }
  }
  return events;
}

std::vector<StatusEvent> ItemHistory::recent(std::size_t most) const {
  std::vector<StatusEvent> events;
  std::set<ItemSeq> seen;
  for (auto run = recent_.rbegin(); run != recent_.rend(); ++run) {
    for (ItemSeq seq = run->first + run->second; seq-- > run->first;) {
      if (events.size() >= most) return events;
      if (!seen.insert(seq).second) continue;
      if (auto event = last(seq)) events.push_back(std::move(*event));
    }
  }
  return events;
}

std::vector<FailedItem> ItemHistory::failed(std::size_t most) const {
  const std::size_t count = std::min(most, failed_.size());
  return {failed_.end() - static_cast<std::ptrdiff_t>(count), failed_.end()};
}

ErrorSummary ItemHistory::errors(std::size_t most) const {
  ErrorSummary summary = totals_;
  summary.items = failed(most);
  return summary;
}

}  // namespace espalier::pipeline
