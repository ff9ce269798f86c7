#pragma once

#include "espalier/metrics/writer.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/probe_sink.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace espalier::metrics {

/// Counts what happens in a tree: restarts and what led to them, exits, back-off, commands,
/// shutdowns. Given to SupervisorOptions::events and ::probes before the tree starts; what it was
/// not told of it does not know.
///
/// The problem: figures of every child, at the price of a restart of a few microseconds. So what is
/// counted of a child stands in a slot of its own, found by its path under the lock of one shard of
/// many; no memory is asked for once a child is known. At most `max_children` children have series
/// of their own, in the order they first fail; the rest, and those that were removed, are added up
/// in a series child="(others)" of their supervisor.
///
/// Thread rule: any thread.
/// Cost: an event that is only counted some 10 ns, one that is about a child some 60 ns; 250 bytes
/// for a child that failed once, and 130 for each of its histograms.
class TreeCounters final : public supervisor::EventSink,
                           public supervisor::ProbeSink,
                           public Source {
 public:
  explicit TreeCounters(std::size_t max_children = 10'000);
  ~TreeCounters() override;
  TreeCounters(const TreeCounters&) = delete;
  TreeCounters& operator=(const TreeCounters&) = delete;

  void publish(const supervisor::Event& event) override;
  void probed(const supervisor::ProbeTiming& timing) override;
  void write(Writer& to) const override;

  /// All that `write` tells.
  [[nodiscard]] static std::span<const Family> families();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::metrics
