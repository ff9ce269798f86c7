#pragma once

#include "espalier/metrics/writer.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <cstddef>
#include <span>
#include <utility>

namespace espalier::metrics {

/// What is true of a tree at the moment of a scrape: where children stand, how many restarts they
/// have left, which supervisors run. Reads what the supervisors have published and waits for none
/// of them.
///
/// It holds the handle, so the tree does not end for want of handles while this lives. The first
/// `max_children` children have series of their own; the rest are added up in a series
/// child="(others)" of their supervisor.
///
/// Thread rule: any thread. Cost: a copy of the state, some 200 ns a child.
class TreeGauges final : public Source {
 public:
  explicit TreeGauges(supervisor::SupervisorHandle handle, std::size_t max_children = 10'000)
      : handle_(std::move(handle)), max_children_(max_children) {}
  void write(Writer& to) const override;

  /// All that `write` tells.
  [[nodiscard]] static std::span<const Family> families();

 private:
  supervisor::SupervisorHandle handle_;
  std::size_t max_children_;
};

}  // namespace espalier::metrics
