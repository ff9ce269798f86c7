#include "espalier/metrics/health_pages.hpp"

#include <chrono>
#include <cstdint>

namespace espalier::metrics {

namespace sv = espalier::supervisor;

namespace {

constexpr sv::Duration answer_limit = std::chrono::seconds{1};
constexpr std::size_t most_named = 5;

Page well(const std::string& sentence) {
  return {.body = sentence + "\n"};
}

Page unwell(const std::string& sentence) {
  return {.status = 503, .body = sentence + "\n"};
}

// "/db, /web and 3 more"
std::string named(const std::vector<std::string>& paths, std::uint64_t total) {
  std::string text;
  std::uint64_t count = 0;
  for (const auto& path : paths) {
    if (count == most_named) break;
    text += (count++ == 0 ? "" : ", ") + path;
  }
  if (total > count) text += (count == 0 ? "" : " and ") + std::to_string(total - count) + " more";
  return text;
}

// Empty: it is ready.
std::string obstacle_of(const sv::HealthReport& health) {
  using State = sv::HealthReport::State;
  const auto waiting = named(health.not_ready, health.counts.unready);
  switch (health.state) {
    case State::up:
      return {};
    case State::starting:
      return "the tree is starting" + (waiting.empty() ? "" : "; not ready yet: " + waiting);
    case State::degraded:
      return "not ready: " + waiting;
    case State::stopping:
      return "the tree is shutting down";
    case State::stopped:
    case State::failed:
      return "the tree has ended" + (health.ended ? ": " + health.ended->reason : "");
  }
  return {};
}

}  // namespace

Page HealthPages::alive() {
  if (!handle_.is_alive()) return unwell("the tree has ended");
  const auto now = std::chrono::steady_clock::now();
  const bool asked_lately = silent_since_ && now - *silent_since_ < answer_limit;
  if (!asked_lately && handle_.ping(answer_limit)) {
    silent_since_.reset();
    return well("alive");
  }
  if (!asked_lately) silent_since_ = std::chrono::steady_clock::now();
  if (!handle_.is_alive()) return unwell("the tree has ended");
  return unwell("the root supervisor did not answer within a second");
}

Page HealthPages::ready() const {
  if (const auto why = obstacle_of(handle_.health()); !why.empty()) return unwell(why);
  for (const auto& obstacle : obstacles_) {
    if (const auto why = obstacle(); !why.empty()) return unwell(why);
  }
  return well("ready");
}

}  // namespace espalier::metrics
