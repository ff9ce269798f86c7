#include "espalier/pipeline/core/flow.hpp"

#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::pipeline {

namespace {

// Without a capacity of its own: as many as the last stage has.
std::size_t output_capacity(const Plan& plan) {
  if (plan.options.output_capacity > 0) return plan.options.output_capacity;
  ChunkPool pool;
  std::size_t most = 1;
  for (const auto& node : plan.nodes) {
    const auto last = std::find(node.next.begin(), node.next.end(), output_node) != node.next.end();
    if (last || node.next.empty()) most = std::max(most, Node(node, 0, pool).capacity);
  }
  return most;
}

}  // namespace

Flow::Impl::Impl(Plan plan)
    : plan_(std::move(plan)),
      graph_(plan_),
      outputs_(pool_, output_capacity(plan_), plan_.options.keep_results,
               plan_.options.output_order == Order::input),
      random_(plan_.options.seed) {
  for (NodeId id = 0; id < plan_.nodes.size(); ++id) {
    nodes_.push_back(std::make_unique<Node>(plan_.nodes[id], id, pool_));
    auto& node = *nodes_.back();
    if (plan_.options.item_deadline > Duration::zero()) node.single = true;
    if (node.sequence) ordered_.push_back(id);
    has_gather_ = has_gather_ || node.gathers();
  }
  for (const auto id : graph_.from_the_end())
    order_.push_back(nodes_[id].get());
  has_order_ = !ordered_.empty() || outputs_.in_order();
  tracks_oldest_ = plan_.options.item_deadline > Duration::zero();
  connect();
  connect_keys();
  limits();
}

void Flow::Impl::connect() {
  for (auto& node : nodes_) {
    const auto& plan = *node->plan;
    for (const auto next : plan.next) {
      auto& targets = node->targets;
      const auto known = std::find_if(targets.begin(), targets.end(),
                                      [&](const Node::Target& t) { return t.node == next; });
      if (known == targets.end()) {
        targets.push_back({next, 1});
      } else if (!plan.one_to_one) {
        ++known->weight;
      }
    }
    // Where several parts of one item come to, there must be room for them together.
    for (const auto& target : node->targets) {
      if (target.node == output_node) {
        outputs_.make_room_for(target.weight);
      } else {
        nodes_[target.node]->make_room_for(target.weight);
      }
    }
    for (const auto ordered : ordered_) {
      if (graph_.reaches(node->id, ordered)) node->ordered_behind.push_back(ordered);
    }
    for (const auto next : plan.next) {
      auto& left = node->left_behind.emplace_back();
      for (const auto ordered : node->ordered_behind) {
        const auto gone = next == output_node || !graph_.reaches(next, ordered);
        if (gone && ordered != node->id) left.push_back(ordered);
      }
    }
    for (const auto& other : nodes_) {
      if (other != node && graph_.reaches(other->id, node->id)) node->upstream.push_back(other->id);
    }
    if (out_.size() < plan.next.size()) out_.resize(plan.next.size());
  }
}

void Flow::Impl::connect_keys() {
  for (auto& node : nodes_) {
    if (!node->gate) continue;
    for (const auto& other : nodes_) {
      const auto is_before_an_order = outputs_.in_order() || !other->ordered_behind.empty();
      if (other != node && is_before_an_order && graph_.reaches(node->id, other->id)) {
        node->overfills.push_back(other->id);
      }
    }
  }
}

void Flow::Impl::limits() {
  for (auto& node : nodes_) {
    const auto& options = node->plan->options;
    if (options.rate.per_second <= 0) continue;
    // A name may begin like that of a stage, but not with a slash and a number.
    const auto& name = options.rate.shared_as;
    auto& limiter = rates_[name.empty() ? "/" + std::to_string(node->id) : name];
    if (!limiter) limiter = std::make_unique<RateLimiter>(options.rate);
    node->rate = limiter.get();
  }
}

void Flow::Impl::settle() {
  if (spilling_ > 0) unspill();
  if (has_gather_ && closed_) gather_rest();
}

std::optional<NodeId> Flow::Impl::find(const std::string& stage) const {
  for (NodeId id = 0; id < plan_.nodes.size(); ++id) {
    if (plan_.nodes[id].name == stage) return id;
  }
  return std::nullopt;
}

Flow::Flow(Plan plan) : impl_(std::make_unique<Impl>(std::move(plan))) {}
Flow::~Flow() = default;

ChunkPtr Flow::new_chunk() {
  return impl_->pool().get();
}
void Flow::recycle(ChunkPtr chunk) {
  impl_->pool().put(std::move(chunk));
}
std::size_t Flow::room(NodeId node) const {
  return impl_->room(node);
}
bool Flow::wants_items(NodeId node) const {
  return impl_->wants_items(node);
}
ChunkPtr Flow::accept(NodeId node, ChunkPtr chunk, TimePoint now) {
  return impl_->accept(node, std::move(chunk), now);
}
void Flow::close_input() {
  impl_->close_input();
}
bool Flow::input_closed() const {
  return impl_->input_closed();
}
ItemSeq Flow::next_seq() const {
  return impl_->next_seq();
}
std::optional<Work> Flow::claim(TimePoint now, Duration longest) {
  return impl_->claim(now, longest);
}
Duration Flow::item_time(NodeId node) const {
  return impl_->item_time(node);
}
std::optional<Work> Flow::finish(const Work& work, TimePoint now) {
  return impl_->finish(work, now);
}
bool Flow::has_work(TimePoint now, Duration longest) {
  return impl_->has_work(now, longest);
}
bool Flow::wants_more_hands(std::size_t active, std::size_t processors, TimePoint now) {
  return impl_->wants_more_hands(active, processors, now);
}
std::optional<TimePoint> Flow::next_deadline() {
  return impl_->next_deadline();
}
void Flow::advance(TimePoint now, std::vector<std::uint64_t>& expired) {
  impl_->advance(now, expired);
}
ChunkPtr Flow::take_outputs() {
  return impl_->take_outputs();
}
void Flow::unbind_outputs() {
  impl_->unbind_outputs();
}
void Flow::tell_ends(bool on) {
  impl_->tell_ends(on);
}
ChunkPtr Flow::take_ended() {
  return impl_->take_ended();
}
std::vector<Flow::Untold> Flow::take_untold() {
  return impl_->take_untold();
}
void Flow::told(std::vector<Untold> items) {
  impl_->told(std::move(items));
}
bool Flow::has_news() const {
  return impl_->has_news();
}
bool Flow::idle() const {
  return impl_->counts().in_flight() == 0;
}
void Flow::cancel(const std::string& reason, TimePoint now) {
  impl_->cancel(reason, now);
}
void Flow::abort(const std::string& reason, TimePoint now, std::vector<std::uint64_t>& running) {
  impl_->abort(reason, now, running);
}
bool Flow::resize(NodeId node, std::uint32_t workers, TimePoint now) {
  return impl_->resize(node, workers, now);
}
void Flow::reset() {
  impl_->reset();
}
const Plan& Flow::plan() const {
  return impl_->plan();
}
std::optional<NodeId> Flow::find(const std::string& stage) const {
  return impl_->find(stage);
}
const Counts& Flow::counts() const {
  return impl_->counts();
}
PipelineSnapshot Flow::snapshot(TimePoint now) const {
  return impl_->snapshot(now);
}
void Flow::watch(bool on) {
  impl_->watch(on);
}
void Flow::take_events(std::vector<TrackEvent>& into) {
  impl_->take_events(into);
}

}  // namespace espalier::pipeline
