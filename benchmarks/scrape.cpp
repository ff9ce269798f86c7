// What watching costs: a scrape of a real tree, by our own writer and by the serializer of
// prometheus-cpp in the same run, and what is counted on the way of a restart. See README.md here.
#include "common.hpp"
#include "espalier/metrics/exposition.hpp"
#include "espalier/metrics/tree_counters.hpp"
#include "espalier/metrics/tree_gauges.hpp"

#include <prometheus/text_serializer.h>

#include <cstdio>
#include <string>
#include <vector>

namespace espalier::benchmarks {
namespace {

constexpr std::size_t children = 5000;  // Two series each.
constexpr int rounds = 51;

std::size_t series_in(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    if (text[at] != '#') ++count;
    at = end + 1;
  }
  return count;
}

template <class Work>
void measure(const char* what, Work work) {
  std::vector<double> samples;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = Clock::now();
    work();
    samples.push_back(ms_since(begin));
  }
  std::printf("%-52s %8.2f ms (%.2f to %.2f)\n", what, quantile(samples, 0.5), quantile(samples, 0),
              quantile(samples, 1));
}

/// The events of restarts, as a supervisor tells them.
std::vector<Event> restart_of(const std::string& path) {
  auto decision = std::make_shared<RestartDecision>();
  decision->verdict = Verdict::restart_now;
  const std::vector<EventBody> bodies{events::ChildExited{.uptime = std::chrono::seconds{3}},
                                      events::RestartDecided{.decision = decision},
                                      events::ChildStarting{},
                                      events::ChildRunning{},
                                      events::ChildReady{},
                                      events::ChildRestarted{}};
  std::vector<Event> all;
  for (const auto& body : bodies) {
    Event event;
    event.path = path;
    event.generation = 2;
    event.body = body;
    all.push_back(std::move(event));
  }
  return all;
}

void measure_counting() {
  constexpr int restarts = 200'000;
  metrics::TreeCounters counters;
  const auto restart = restart_of("/workers/w17");
  const auto begin = Clock::now();
  for (int i = 0; i < restarts; ++i) {
    for (const auto& event : restart)
      counters.publish(event);
  }
  std::printf("%-52s %8.0f ns (6 events)\n", "counting one restart of a known child",
              ms_since(begin) * 1e6 / restarts);
}

int run() {
  auto spec = flat_tree(children);
  const auto counters = std::make_shared<metrics::TreeCounters>();
  auto options = with_ring();
  options.events.push_back(counters);
  const auto handle = Supervisor::start(std::move(spec), idle_factories(), std::move(options));
  if (!handle) {
    std::fprintf(stderr, "%s\n", handle.error().message.c_str());
    return 1;
  }
  metrics::Exposition all;
  all.add(counters);
  all.add(std::make_shared<metrics::TreeGauges>(*handle));
  const auto text = all.text();
  std::printf("a tree of %zu children: %zu series, %zu bytes\n", children, series_in(text),
              text.size());
  measure("a scrape, whole", [&] { static_cast<void>(all.text()); });
  measure("  of it the copy of the state", [&] { static_cast<void>(handle->current_state()); });
  measure("the same through prometheus-cpp",
          [&] { static_cast<void>(prometheus::TextSerializer{}.Serialize(all.Collect())); });
  const auto families = all.Collect();
  measure("  of it its TextSerializer",
          [&] { static_cast<void>(prometheus::TextSerializer{}.Serialize(families)); });
  measure_counting();
  return 0;
}

}  // namespace
}  // namespace espalier::benchmarks

int main() {
  return espalier::benchmarks::run();
}
