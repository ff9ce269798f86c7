#pragma once

#include "espalier/supervisor/actor/actor_factory.hpp"
#include "espalier/supervisor/actor/supervisor_actor.hpp"
#include "support/recording_sink.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace espalier::supervisor::testing {

struct DeterministicConfig : caf::actor_system_config {
  DeterministicConfig() { set("scheduler.policy", caf::atom("testing")); }
};

struct RecordingUplink final : Uplink {
  void up() override { ++ups; }
  void finished(const effect::Finished& how) override {
    ++ends;
    end = how;
  }
  int ups = 0;
  int ends = 0;
  std::optional<effect::Finished> end;
};

/// One thread, virtual time: `settle` runs every actor until idle, `advance` moves the clock.
class ActorFixture : public ::testing::Test {
 protected:
  ActorFixture() {
    services_->sinks = {sink_};
    services_->seed = 7;
    add_actor(
        services_->factories, "worker",
        [this](caf::event_based_actor* self, std::shared_ptr<ChildContext> context) {
          alive_.push_back(context->path());
          lives_.push_back({context->path(), caf::actor_cast<caf::actor>(self), context});
          return caf::behavior{[](const std::string& what) { throw std::runtime_error(what); }};
        });
  }
  ~ActorFixture() override {
    lives_.clear();
    line_->send(input::Abort{std::chrono::seconds{1}, {}});
    settle();
    line_->close();
  }

  void settle() { scheduler_.run(); }
  void advance(caf::timespan by) {
    scheduler_.advance_time(by);
    settle();
  }

  static ChildSpec child(const std::string& name, const std::string& factory = "worker") {
    ChildSpec result{.name = name, .factory = factory};
    result.policy.backoff = {.initial = std::chrono::seconds{1},
                             .max = std::chrono::seconds{60},
                             .jitter = Jitter::none};
    return result;
  }
  static ChildSpec subtree(const std::string& name, SupervisorSpec spec) {
    ChildSpec result{.name = name, .kind = ChildKind::supervisor};
    spec.name = name;
    result.policy = child(name).policy;
    result.supervisor = std::make_shared<SupervisorSpec>(std::move(spec));
    return result;
  }

  caf::actor launch(SupervisorSpec spec) {
    auto root = system_.spawn<SupervisorActor>(
        SupervisorStart{.services = services_,
                        .spec = std::make_shared<SupervisorSpec>(std::move(spec)),
                        .uplink = uplink_,
                        .line = line_});
    line_->open(root);
    settle();
    return root;
  }

  struct Started {
    std::string path;
    caf::actor handle;
    std::shared_ptr<ChildContext> context;
  };
  /// The latest attempt of a child.
  [[nodiscard]] const Started& latest(const std::string& path) const {
    for (auto life = lives_.rbegin(); life != lives_.rend(); ++life) {
      if (life->path == path) return *life;
    }
    throw std::logic_error("never started: " + path);
  }
  void crash(const std::string& path, const std::string& why = "told to") {
    caf::anon_send(latest(path).handle, why);
    settle();
  }
  [[nodiscard]] std::size_t starts_of(const std::string& path) const {
    return static_cast<std::size_t>(std::count(alive_.begin(), alive_.end(), path));
  }

  DeterministicConfig config_;
  caf::actor_system system_{config_};
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
  std::shared_ptr<RecordingUplink> uplink_ = std::make_shared<RecordingUplink>();
  std::shared_ptr<TreeServices> services_ = std::make_shared<TreeServices>();
  std::shared_ptr<ReportLine> line_ = std::make_shared<ReportLine>();
  std::vector<Started> lives_;
  std::vector<std::string> alive_;
};

}  // namespace espalier::supervisor::testing
