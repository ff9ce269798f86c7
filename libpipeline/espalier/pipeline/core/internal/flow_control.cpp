#include "espalier/pipeline/core/internal/failures.hpp"
#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <utility>

namespace espalier::pipeline {

void Flow::Impl::close_input() {
  closed_ = true;
  settle();
}

ChunkPtr Flow::Impl::take_outputs() {
  if (!outputs_.keeps()) return nullptr;
  auto chunk = outputs_.take();
  if (chunk) settle();
  return chunk;
}

void Flow::Impl::cancel(const std::string& reason, TimePoint now) {
  tick(now);
  closed_ = true;
  cancelled_ = true;
  if (reason_.empty()) reason_ = reason.empty() ? "the pipeline was cancelled" : reason;
  sweep([](const Item&) { return true; },
        [this](Item item, Node& node) {
          leave(node, item);
          forget_first_attempt(node, item);
          end_failed(std::move(item), make_failure(Failure::Kind::cancelled, reason_),
                     Outcome::cancelled, node);
        });
  settle();
}

void Flow::Impl::abort(const std::string& reason, TimePoint now,
                       std::vector<std::uint64_t>& running) {
  reason_ = reason.empty() ? "the pipeline was aborted" : reason;
  cancel(reason_, now);
  for (auto& job : jobs_) {
    if (job.id == 0 || job.run != run_) continue;
    running.push_back(job.id);
    if (!job.late) end_job(job, Failure::Kind::cancelled, reason_, Outcome::cancelled);
  }
  settle();
}

bool Flow::Impl::resize(NodeId id, std::uint32_t workers, TimePoint now) {
  tick(now);
  if (workers == 0) return false;
  auto& node = *nodes_[id];
  node.set_workers(workers);
  if (node.adaptive) node.adaptive->set(workers);
  return true;
}

/// Late works of the run before keep their workers and their places until they come back.
void Flow::Impl::reset() {
  ++run_;
  next_seq_ = 0;
  counts_ = {};
  window_.reset();
  closed_ = cancelled_ = false;
  reason_.clear();
  first_attempts_.clear();
  fed_.clear();
  expired_before_ = 0;
  outputs_.reset();
  untold_.clear();
  for (auto& node : nodes_) {
    if (node->sequence) node->sequence->reset();
    if (node->gate) node->gate->clear();
    if (node->gather) node->gather->reset();
    node->adapt_at = never;
    node->adapt_attempts = 0;
    node->adapt_service = {};
    node->reset_stats(now_);
  }
}

}  // namespace espalier::pipeline
