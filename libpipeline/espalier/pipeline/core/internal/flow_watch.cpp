#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <utility>

namespace espalier::pipeline {

void Flow::Impl::watch(bool on) {
  watching_ = on;
  if (!on) events_.clear();
}

void Flow::Impl::take_events(std::vector<TrackEvent>& into) {
  into.clear();
  into.swap(events_);
}

/// Neighbours without company of their own make one event.
void Flow::Impl::note(Status status, NodeId node, std::span<const Item> items, std::uint32_t worker,
                      Duration took) {
  for (std::size_t i = 0; i < items.size();) {
    auto& event = events_.emplace_back();
    event.status = status;
    event.node = node;
    event.worker = worker;
    event.seq = items[i].seq;
    event.at = now_;
    event.took = took;
    if (status == Status::in_progress) {
      event.attempt = static_cast<std::uint16_t>(items[i].attempt + 1);
    }
    event.info = items[i].info;
    const auto first = i++;
    if (event.info) continue;
    while (i < items.size() && !items[i].info && items[i].attempt == items[first].attempt &&
           items[i].seq == event.seq + (i - first)) {
      ++i;
    }
    event.count = static_cast<std::uint32_t>(i - first);
  }
}

void Flow::Impl::note_passed(const Node& node, const Job& job, std::span<const Item> items) {
  const auto took = now_ - job.started;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= items.size(); ++i) {
    const auto skipped = items[begin].passed_through || items[begin].verdict == Verdict::skip;
    if (i < items.size() &&
        (items[i].passed_through || items[i].verdict == Verdict::skip) == skipped) {
      continue;
    }
    note(skipped ? Status::skipped : Status::completed, node.id, items.subspan(begin, i - begin),
         job.worker, took);
    begin = i;
  }
}

void Flow::Impl::note_end(const Item& item, Outcome outcome, const Node& where) {
  switch (outcome) {
    case Outcome::succeeded:
      return note(Status::completed, output_node, {&item, 1}, TrackEvent::no_worker);
    case Outcome::skipped:
      return note(Status::skipped, output_node, {&item, 1}, TrackEvent::no_worker);
    case Outcome::failed:
      return note_failure(Status::failed, where.id, item, item.failure.get(),
                          TrackEvent::no_worker);
    case Outcome::cancelled:
      return note_failure(Status::cancelled, where.id, item, item.failure.get(),
                          TrackEvent::no_worker);
  }
}

void Flow::Impl::note_failure(Status status, NodeId node, const Item& item, const Failure* failure,
                              std::uint32_t worker) {
  note(status, node, {&item, 1}, worker);
  auto& event = events_.back();
  event.attempt = static_cast<std::uint16_t>(item.attempt + (status == Status::retrying ? 1 : 0));
  event.task = item.task;
  if (!failure) return;
  event.error =
      std::make_shared<const std::pair<std::string, std::string>>(failure->message, failure->type);
}

StageStats Flow::Impl::stage_stats(const Node& node, TimePoint now) const {
  auto stats = node.stats;
  const auto passed = now - node.counted_to;
  if (passed > Duration::zero()) {
    const auto waiting = static_cast<Duration::rep>(node.queued());
    stats.queue_time += passed * waiting;
    stats.retry_time += passed * static_cast<Duration::rep>(node.retrying);
    if (node.blocked) stats.blocked_time += passed * waiting;
  }
  stats.name = node.plan->name;
  stats.workers = node.workers;
  stats.busy = node.busy;
  stats.capacity = node.capacity;
  stats.queued = node.queued();
  stats.retrying = node.retrying;
  stats.in_work = node.in_work;
  if (node.breaker) {
    stats.breaker = node.breaker->state();
    if (node.breaker->next().value_or(never) <= now) stats.breaker = StageStats::Breaker::half_open;
  }
  return stats;
}

PipelineSnapshot Flow::Impl::snapshot(TimePoint now) const {
  PipelineSnapshot all;
  all.name = plan_.options.name;
  all.at = now;
  all.counts = counts_;
  all.outputs_waiting = outputs_.waiting();
  for (const auto& node : nodes_) {
    all.stages.push_back(stage_stats(*node, now));
    for (std::size_t i = 0; i < node->crew.size(); ++i) {
      const auto& member = node->crew[i];
      if (i >= node->workers && member.work == 0) continue;
      WorkerState& state = all.workers.emplace_back();
      state.name = node->plan->name + "-W" + std::to_string(i);
      state.stage = node->plan->name;
      state.busy = member.work != 0;
      state.since = member.since;
      state.completed = member.completed;
      state.failed = member.failed;
      state.service_time = member.service_time;
      if (const auto* job = member.work != 0 ? find_job(member.work) : nullptr) {
        const auto& item = job->chunk->items.front();
        state.item = item.info && !item.info->id.empty() ? item.info->id : std::to_string(item.seq);
      }
    }
  }
  return all;
}

}  // namespace espalier::pipeline
