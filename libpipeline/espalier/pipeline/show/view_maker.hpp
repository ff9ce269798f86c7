#pragma once

#include "espalier/pipeline/show/dashboard.hpp"

#include <deque>
#include <utility>

namespace espalier::pipeline {

/// Makes views of snapshots: remembers a few seconds of them for the rate. Pure; one caller.
class ViewMaker {
 public:
  explicit ViewMaker(std::optional<std::uint64_t> total) : total_(total) {}

  [[nodiscard]] DashboardView view(PipelineSnapshot snapshot);
  /// The rate is that of the whole time, and nothing remains to be waited for.
  [[nodiscard]] DashboardView last_view(PipelineSnapshot snapshot);

 private:
  using Moment = std::pair<TimePoint, std::uint64_t>;  ///< And how many were done.
  std::optional<std::uint64_t> total_;
  Moment first_ = {};
  std::deque<Moment> lately_;
};

}  // namespace espalier::pipeline
