#pragma once

#include "common.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace espalier::benchmarks {

/// One child that ends its own life as soon as it lives, `crashes` times.
struct CrashLoop {
  explicit CrashLoop(std::uint64_t count) : crashes(count) { delays.reserve(count); }
  const std::uint64_t crashes;
  std::atomic<std::uint64_t> lives = 0;
  std::atomic<Clock::rep> crashed_at = 0;  ///< The last time.
  std::vector<double>
      delays;  ///< Microseconds from crash to serving, written by one life at a time.
};

/// Idle children, and "crash".
inline ChildFactories crashing(const std::shared_ptr<CrashLoop>& loop) {
  auto factories = idle_factories();
  add_actor(factories, "crash", [loop](caf::event_based_actor* self, auto) {
    self->send(self, 1);
    return caf::behavior{[=](int) {
      const auto now = Clock::now().time_since_epoch().count();
      if (const auto then = loop->crashed_at.load(); then != 0) {
        loop->delays.push_back(static_cast<double>(now - then) / 1000.0);
      }
      if (loop->lives.fetch_add(1) >= loop->crashes) return;
      loop->crashed_at = Clock::now().time_since_epoch().count();
      self->quit(caf::make_error(caf::sec::runtime_error));
    }};
  });
  return factories;
}

inline ChildPolicy without_limits() {
  ChildPolicy policy;
  policy.restart_limit.reset();
  policy.backoff = {Duration::zero(), Duration::zero(), Jitter::none, Duration::zero()};
  return policy;
}

inline ChildSpec crashing_child() {
  auto child = actor_child("crashing");
  child.factory = "crash";
  child.policy = without_limits();
  return child;
}

}  // namespace espalier::benchmarks
