#pragma once

#include "espalier/supervisor/scheduler/scheduler.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>

namespace espalier::supervisor::testing {

/// An actor system on our scheduler.
struct ScheduledSystem {
  struct Config : caf::actor_system_config {
    explicit Config(std::size_t threads) {
      load<Scheduler>();
      set("scheduler.max-threads", threads);
    }
  };

  explicit ScheduledSystem(std::size_t threads = 2) : config(threads), system(config) {}
  Scheduler& scheduler() { return *Scheduler::of(system); }

  Config config;
  caf::actor_system system;
};

/// Waits for at most 20 s.
inline bool comes_true(const std::function<bool()>& what) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!what()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  }
  return true;
}

}  // namespace espalier::supervisor::testing
