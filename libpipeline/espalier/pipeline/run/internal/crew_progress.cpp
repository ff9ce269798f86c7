#include "espalier/pipeline/run/internal/crew.hpp"
#include "espalier/pipeline/run/internal/inside.hpp"

#include <utility>

namespace espalier::pipeline::internal {
namespace {

Outcome outcome_of(const Item& item) {
  if (item.verdict == Verdict::skip) return Outcome::skipped;
  if (item.verdict != Verdict::fail) return Outcome::succeeded;
  const bool cancelled = item.failure && item.failure->kind == Failure::Kind::cancelled;
  return cancelled ? Outcome::cancelled : Outcome::failed;
}

}  // namespace

std::exception_ptr Crew::tell_accepted(NodeId node, const Chunk& chunk, ItemSeq first) {
  try {
    progress_->accepted(node, chunk.items, first);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

void Crew::tell_refused(Chunk& chunk, ItemSeq first) {
  for (auto& item : chunk.items) {
    item.seq = first++;
    try {
      progress_->ended(item, Outcome::cancelled);
    } catch (...) {
    }
  }
}

void Crew::tell_moved(const Work& work) {
  const auto& next = plan().nodes[work.node].next;
  for (const auto& item : work.chunk->items) {
    if (item.verdict != Verdict::pass || next[item.port] == output_node) continue;
    try {
      progress_->moved(next[item.port], item);
    } catch (...) {  // It is at most repeated, then.
    }
  }
}

void Crew::tell_failed(const std::vector<Flow::Untold>& items) {
  const Inside inside(this, nullptr);
  for (const auto& [node, item] : items) {
    try {
      plan().nodes[node].on_failure(item);
    } catch (...) {  // It never changes what becomes of the item.
    }
  }
}

void Crew::tell_ended(const ChunkPtr& chunk) {
  if (!chunk || !progress_) return;
  for (const auto& item : chunk->items) {
    try {
      progress_->ended(item, outcome_of(item));
    } catch (...) {
    }
  }
}

}  // namespace espalier::pipeline::internal
