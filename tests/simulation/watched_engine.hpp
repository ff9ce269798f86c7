#pragma once

#include "espalier/supervisor/core/engine.hpp"
#include "libsupervisor/core/support/engine_promises.hpp"
#include "simulation/world.hpp"

#include <memory>
#include <string>
#include <vector>

namespace espalier::simulation {

/// The engine of a supervisor with somebody looking over its shoulder: what the actor really feeds
/// it and gets back is held against EnginePromises. Those know a fixed set of children, so they
/// look away for good once one is added or removed.
class WatchedEngine final : public Engine {
 public:
  WatchedEngine(const SupervisorSpec& spec, EngineContext context, World& world);
  ~WatchedEngine() override;

  [[nodiscard]] std::vector<Effect> handle(const Input& what, TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> next_deadline() const override {
    return engine_.next_deadline();
  }
  [[nodiscard]] ChildIndex size() const override { return engine_.size(); }
  [[nodiscard]] std::shared_ptr<const ChildSpec> child_spec(ChildIndex child) const override {
    return engine_.child_spec(child);
  }
  [[nodiscard]] std::string child_name(ChildIndex child) const override {
    return engine_.child_name(child);
  }
  [[nodiscard]] ChildView view(ChildIndex child, TimePoint now) const override {
    return engine_.view(child, now);
  }
  [[nodiscard]] std::vector<ChildIndex> take_changed() override { return engine_.take_changed(); }
  [[nodiscard]] const SupervisorSpec& spec() const { return engine_.spec(); }

  /// Once all children have behaved for long enough.
  void check_settled();

 private:
  void report();

  std::string path_;
  World& world_;
  SupervisorEngine engine_;
  testing_support::EnginePromises promises_;
  bool watches_ = true;
  std::size_t told_ = 0;
};

}  // namespace espalier::simulation
