// What it costs to know the whole history of each item: a StatusTracker is fed what an engine emits
// for items that go through three stages in chunks of several sizes, beside the counting alone of
// the same events. Processor time of all threads; memory as the allocator counts it. See README.md.
#include "espalier/pipeline/track/status_tracker.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace espalier::benchmarks {
namespace {

using namespace espalier::pipeline;

constexpr NodeId stages = 3;
constexpr ItemSeq items = 1'000'000;

double cpu_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Plan three_stages() {
  Plan plan;
  for (const char* name : {"fetch", "parse", "store"}) {
    NodePlan node;
    node.name = name;
    plan.nodes.push_back(node);
  }
  return plan;
}

struct Load {
  const char* name = "";
  std::uint32_t chunk = 1;
  bool ids = false;
  Delivery delivery = Delivery::inline_;
  bool subscriber = false;
};

void append_way(std::vector<TrackEvent>& out, ItemSeq seq, const Load& load) {
  TrackEvent event;
  event.seq = seq;
  event.count = static_cast<std::uint32_t>(std::min<ItemSeq>(load.chunk, items - seq));
  event.at = std::chrono::steady_clock::now();
  if (load.ids) {
    auto info = std::make_shared<ItemInfo>();
    info->id = "document-" + std::to_string(seq);
    event.info = std::move(info);
  }
  for (event.node = 0; event.node < stages; ++event.node) {
    for (const Status status : {Status::queued, Status::in_progress, Status::completed}) {
      event.status = status;
      event.worker = status == Status::queued ? TrackEvent::no_worker : event.node;
      out.push_back(event);
    }
  }
  event.node = output_node;
  out.push_back(event);
}

void measure(const Load& load) {
  TrackerOptions options;
  options.delivery = load.delivery;
  options.history.items = items;
  StatusTracker tracker(options);
  tracker.on_start(three_stages());
  std::uint64_t heard = 0;
  Subscription subscription;
  if (load.subscriber) {
    subscription = tracker.on_status_change([&](const StatusEvent&) { ++heard; });
  }
  std::vector<TrackEvent> events;
  const std::size_t bytes = bytes_in_use();
  double spent = 0;
  for (ItemSeq seq = 0; seq < items; seq += load.chunk) {
    events.clear();
    append_way(events, seq, load);
    const double begin = cpu_seconds();
    tracker.on_events(events);
    // A feeder that is faster than any pipeline would only show how much is dropped.
    if (load.delivery == Delivery::queued && seq / load.chunk % 1000 == 999) tracker.flush();
    spent += cpu_seconds() - begin;
  }
  const double begin = cpu_seconds();
  tracker.flush();
  spent += cpu_seconds() - begin;
  events = {};
  const auto grown = static_cast<double>(bytes_in_use() - bytes);
  std::printf("%-34s %8.0f ns/item %8.1f bytes/item  %llu dropped\n", load.name,
              spent / static_cast<double>(items) * 1e9, grown / static_cast<double>(items),
              static_cast<unsigned long long>(tracker.dropped()));
  if (tracker.get_stats()[Status::completed] != items)
    std::printf("  not all items were counted\n");
}

void measure_questions() {
  TrackerOptions options;
  options.delivery = Delivery::inline_;
  options.history.items = items;
  StatusTracker tracker(options);
  std::vector<TrackEvent> events;
  for (ItemSeq seq = 0; seq < items; seq += 64) {
    events.clear();
    append_way(events, seq, {"", 64});
    tracker.on_events(events);
  }
  constexpr int times = 10'000;
  const double begin = cpu_seconds();
  std::uint64_t sum = 0;
  for (int i = 0; i < times; ++i)
    sum += tracker.get_stats().total();
  const double stats = cpu_seconds();
  for (int i = 0; i < times; ++i)
    sum += tracker.get_history(static_cast<ItemSeq>(i) * 97).size();
  const double end = cpu_seconds();
  std::printf("of %llu items: get_stats %.0f ns, get_history %.0f ns (%llu)\n",
              static_cast<unsigned long long>(items), (stats - begin) / times * 1e9,
              (end - stats) / times * 1e9, static_cast<unsigned long long>(sum));
}

}  // namespace
}  // namespace espalier::benchmarks

int main() {
  using namespace espalier::benchmarks;
  using espalier::pipeline::Delivery;
  std::printf("history of 1,000,000 items through 3 stages, 9 changes each and the exit\n");
  measure({"chunks of 256", 256});
  measure({"chunks of 64", 64});
  measure({"chunks of 16", 16});
  measure({"single items", 1});
  measure({"single items with ids", 1, true});
  measure({"chunks of 64, queued", 64, false, Delivery::queued});
  measure({"chunks of 64, queued, subscriber", 64, false, Delivery::queued, true});
  measure_questions();
}
