#pragma once

#include "espalier/supervisor.hpp"
#include "espalier/supervisor/actor/actor_factory.hpp"
#include "support/recording_sink.hpp"

#include <caf/all.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace espalier::supervisor::testing {

/// Real threads, processes and time, all of it bounded.
class RuntimeFixture : public ::testing::Test {
 protected:
  RuntimeFixture() {
    factories_.add_blocking("wait", [](ChildContext& context) {
      while (context.sleep_for(std::chrono::minutes{1})) {
      }
    });
    add_actor(factories_, "echo", [](caf::event_based_actor*, std::shared_ptr<ChildContext>) {
      return caf::behavior{[](int x) { return x; }};
    });
  }

  static ChildPolicy quick_policy() {
    ChildPolicy result;
    result.backoff = {.initial = std::chrono::milliseconds{10},
                      .max = std::chrono::milliseconds{50},
                      .jitter = Jitter::none};
    result.stop.grace = std::chrono::seconds{3};
    return result;
  }
  static ChildSpec blocking(const std::string& name, const std::string& factory = "wait") {
    return {
        .name = name, .kind = ChildKind::blocking, .policy = quick_policy(), .factory = factory};
  }
  static ChildSpec actor(const std::string& name, const std::string& factory = "echo") {
    return {.name = name, .policy = quick_policy(), .factory = factory};
  }
  static ChildSpec shell(const std::string& name, const std::string& script) {
    return command(name, {"/bin/sh", "-c", script});
  }
  static ChildSpec command(const std::string& name, std::vector<std::string> argv) {
    ChildSpec result{.name = name, .kind = ChildKind::process, .policy = quick_policy()};
    result.process = std::make_shared<ProcessSpec>(ProcessSpec{.command = std::move(argv)});
    return result;
  }
  static ChildSpec subtree(const std::string& name, SupervisorSpec spec) {
    ChildSpec result{.name = name, .kind = ChildKind::supervisor, .policy = quick_policy()};
    spec.name = name;
    result.supervisor = std::make_shared<SupervisorSpec>(std::move(spec));
    return result;
  }

  SupervisorOptions options() {
    SupervisorOptions result;
    result.events = {sink_};
    result.worker_threads = 2;
    result.seed = 1;
    return result;
  }
  expected<SupervisorHandle, Error> launch(SupervisorSpec spec) {
    return Supervisor::launch(std::move(spec), factories_, options());
  }
  expected<SupervisorHandle, Error> start(SupervisorSpec spec) {
    return Supervisor::start(std::move(spec), factories_, options());
  }
  /// The latest pid of a process child; 0: none yet.
  [[nodiscard]] std::int64_t pid_of(const std::string& path) const {
    const auto runs = sink_->bodies<events::ChildRunning>(path);
    return runs.empty() ? 0 : runs.back().pid.value_or(0);
  }

  const CommandMeta meta_{"test", "done"};
  ChildFactories factories_;
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
};

}  // namespace espalier::supervisor::testing
