// The ways to begin a child that would take a thread, a process or the network, replaced at link
// time by children of the simulated world. They keep the same protocol: reports through the line,
// one exit, and no answer to a stop but their end. Actor children are the real ones.
#include "simulation/world.hpp"

namespace espalier::simulation {

namespace {

class FakeChild final : public Child {
 public:
  FakeChild(World& world, std::shared_ptr<Life> life) : world_(world), life_(std::move(life)) {}

  void stop(const effect::StopChild&) override { world_.asked_to_stop(life_); }
  void abort(const effect::AbortChild&) override { world_.told_to_abort(life_); }
  void abandon() override { world_.note("is given up " + life_->id.path); }
  void suspend(bool suspended) override {
    world_.note((suspended ? "sleeps " : "wakes ") + life_->id.path);
  }
  void supervisor_lost() noexcept override {
    world_.breach("the supervisor of " + life_->id.path + " is lost");
  }

 private:
  World& world_;
  std::shared_ptr<Life> life_;
};

std::unique_ptr<Child> fake(ChildStart start, bool is_process) {
  auto& world = world_of(*start.services);
  Life life;
  life.id = start.id;
  life.attempt = std::make_shared<Attempt>(std::move(start.id), std::move(start.spec));
  life.context = life.attempt;
  life.is_process = is_process;
  return std::make_unique<FakeChild>(world, world.begin(std::move(life)));
}

}  // namespace

}  // namespace espalier::simulation

namespace espalier::supervisor {

std::unique_ptr<Child> start_blocking_child(ChildStart start) {
  return simulation::fake(std::move(start), false);
}

std::unique_ptr<Child> start_async_child(ChildStart start) {
  return simulation::fake(std::move(start), false);
}

std::unique_ptr<Child> start_pipeline_child(ChildStart start) {
  return simulation::fake(std::move(start), false);
}

std::unique_ptr<Child> start_isolated_child(ChildStart start) {
  return simulation::fake(std::move(start), true);
}

std::unique_ptr<Child> start_process_child(ChildStart start) {
  return simulation::fake(std::move(start), true);
}

}  // namespace espalier::supervisor
