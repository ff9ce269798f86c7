#include "espalier/pipeline/show/view_maker.hpp"

#include <algorithm>
#include <chrono>

namespace espalier::pipeline {
namespace {

constexpr Duration rate_window = std::chrono::seconds{5};

double rate_between(const std::pair<TimePoint, std::uint64_t>& from,
                    const std::pair<TimePoint, std::uint64_t>& to) {
  const std::chrono::duration<double> time = to.first - from.first;
  return time.count() <= 0 ? 0 : static_cast<double>(to.second - from.second) / time.count();
}

}  // namespace

DashboardView ViewMaker::view(PipelineSnapshot snapshot) {
  DashboardView view;
  view.snapshot = std::move(snapshot);
  view.total = total_;
  const Moment now{view.snapshot.at, view.done()};
  if (!lately_.empty() && now.second < lately_.back().second) lately_.clear();  // Another run.
  if (lately_.empty()) first_ = now;
  lately_.push_back(now);
  // One that is older than the window stays, so that the rate is of the whole window.
  while (lately_.size() > 2 && now.first - lately_[1].first >= rate_window)
    lately_.pop_front();
  view.elapsed = now.first - first_.first;
  view.rate = rate_between(lately_.front(), now);
  if (total_ && view.rate > 0 && *total_ > now.second) {
    const auto left = static_cast<double>(*total_ - now.second) / view.rate;
    const std::chrono::duration<double> most = std::chrono::hours{24 * 365};
    view.eta =
        std::chrono::duration_cast<Duration>(std::min(most, std::chrono::duration<double>(left)));
  }
  return view;
}

DashboardView ViewMaker::last_view(PipelineSnapshot snapshot) {
  DashboardView last = view(std::move(snapshot));
  last.rate = rate_between(first_, {last.snapshot.at, last.done()});
  last.eta.reset();
  return last;
}

}  // namespace espalier::pipeline
