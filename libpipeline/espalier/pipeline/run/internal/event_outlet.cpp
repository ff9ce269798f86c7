#include "espalier/pipeline/run/internal/event_outlet.hpp"

#include <cxxabi.h>

#include <iterator>
#include <utility>

namespace espalier::pipeline::internal {

void EventOutlet::add(std::shared_ptr<TrackSink> sink) {
  auto sinks = std::make_shared<Sinks>(*sinks_);
  sinks->push_back(std::move(sink));
  sinks_ = std::move(sinks);
  watched_.store(true, std::memory_order_relaxed);
  ask_for_tasks();
}

void EventOutlet::ask_for_tasks() {
  bool wanted = false;
  for (const auto& sink : *sinks_)
    wanted = wanted || sink->wants_tasks();
  wants_tasks_.store(wanted, std::memory_order_relaxed);
}

void EventOutlet::start(const Plan& plan) {
  for (const auto& sink : *sinks_) {
    try {
      sink->on_start(plan);
    } catch (...) {
      errors_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  ask_for_tasks();
}

void EventOutlet::gather(Flow& flow) {
  if (!watched()) return;
  if (waiting_.empty()) return flow.take_events(waiting_);
  flow.take_events(from_flow_);
  waiting_.insert(waiting_.end(), std::make_move_iterator(from_flow_.begin()),
                  std::make_move_iterator(from_flow_.end()));
}

bool EventOutlet::begin() {
  if (!can_begin()) return false;
  delivering_ = true;
  deliverer_ = std::this_thread::get_id();
  batch_.clear();
  batch_.swap(waiting_);
  batch_sinks_ = sinks_;
  return true;
}

void EventOutlet::deliver() {
  for (const auto& sink : *batch_sinks_) {
    try {
      sink->on_events(batch_);
    } catch (const abi::__forced_unwind&) {
      throw;
    } catch (...) {
      errors_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

void EventOutlet::end() {
  delivering_ = false;
  deliverer_ = {};
  ask_for_tasks();
}

bool EventOutlet::delivered_here() const {
  return delivering_ && deliverer_ == std::this_thread::get_id();
}

bool EventOutlet::overfull() const {
  return waiting_.size() >= most_waiting && delivering_ && !delivered_here();
}

}  // namespace espalier::pipeline::internal
