#include "simulation/simulation.hpp"

#include "espalier/supervisor/actor/actor_factory.hpp"
#include "espalier/supervisor/actor/supervisor_actor.hpp"
#include "espalier/supervisor/runtime/validate_spec.hpp"
#include "simulation/injector.hpp"
#include "simulation/tree_promises.hpp"
#include "simulation/watched_engine.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace espalier::simulation {

namespace {

using std::chrono::seconds;

/// More in one instant means that it never comes to rest.
constexpr std::uint64_t most_steps_at_once = 100'000;

struct Config : caf::actor_system_config {
  Config() { set("scheduler.policy", caf::atom("testing")); }
};

struct End final : Uplink {
  void up() override {}
  void finished(const effect::Finished& told) override {
    ++times;
    how = told;
  }
  int times = 0;
  effect::Finished how = {};
};

// A child that may only run for a while is down now and then for ever, and others with it.
bool comes_to_rest(const SupervisorSpec& spec) {
  return std::all_of(spec.children.begin(), spec.children.end(), [](const ChildSpec& child) {
    const auto& leaf = child.pool ? child.pool->child : child;
    return leaf.policy.run_timeout == Duration::zero() &&
           (!child.supervisor || comes_to_rest(*child.supervisor));
  });
}

/// One play.
class Stage {
 public:
  explicit Stage(const Scenario& scenario)
      : world_(scenario.seed, scheduler_.clock()),
        promises_(std::make_shared<TreePromises>(world_, *services_)) {
    system_.await_actors_before_shutdown(false);
    services_->seed = scenario.seed;
    services_->output = {std::shared_ptr<void>{}, &world_};
    services_->sinks.push_back(promises_);
    if (scenario.tree.admission) {
      services_->admission = std::make_shared<AdmissionDesk>(*scenario.tree.admission);
    }
    services_->factories.add_blocking("function", [](ChildContext&) {});
    add_actor(services_->factories, "actor",
              [this](caf::event_based_actor* self, std::shared_ptr<ChildContext> context) {
                return world_.live_as_actor(self, std::move(context));
              });
    const auto problem = problem_of(scenario.tree, services_->factories);
    if (!problem.empty()) world_.breach("no valid tree: " + problem);
    injector_ = std::make_unique<Injector>(world_, services_, scenario.tree,
                                           [this](Duration by) { scheduler_.advance_time(by); });
    for (const auto& fault : scenario.faults)
      world_.later(fault.at, [this, fault] { injector_->apply(fault); });
  }

  // What a broken promise has left must not outlive the world it is part of.
  ~Stage() {
    if (const auto root = caf::actor_cast<caf::actor>(root_)) {
      caf::anon_send_exit(root, caf::exit_reason::kill);
    }
    for (auto left = most_steps_at_once; left > 0 && scheduler_.try_run_once(); --left) {
    }
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  void play(const SupervisorSpec& tree, Duration storm) {
    const auto began = world_.now();
    launch(tree);
    run_until(began + storm + milliseconds{1});
    world_.note("--- all behave");
    world_.heal();
    run_until(world_.now() + seconds{40});
    if (end_->times == 0 && world_.broken().empty()) {
      if (comes_to_rest(tree)) check_settled();
      world_.note("--- stop");
      injector_->stop({});
    }
    run_until(world_.now() + seconds{20});
    time_ = world_.now() - began;
    check_end();
  }

  Outcome outcome() const {
    return {.broken = world_.broken(),
            .history = world_.history(),
            .steps = steps_,
            .events = promises_->events(),
            .restarts = promises_->restarts(),
            .lives = world_.lives_ever(),
            .time = time_};
  }

 private:
  void launch(const SupervisorSpec& tree) {
    const auto line = std::make_shared<ReportLine>();
    const auto root = system_.spawn<SupervisorActor>(
        SupervisorStart{.services = services_,
                        .spec = std::make_shared<SupervisorSpec>(tree),
                        .uplink = end_,
                        .line = line});
    line->open(root);
    root_ = caf::actor_cast<caf::actor_addr>(root);
  }

  // Which message comes next is chance, and so is whether one does before what is due outside.
  bool step() {
    auto& jobs = scheduler_.jobs;
    const auto due = world_.next_due();
    const bool is_due = due && *due <= world_.now();
    if (jobs.empty() || (is_due && world_.roll(3) == 0)) return world_.do_something_due();
    const auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(world_.roll(jobs.size()));
    std::rotate(jobs.begin(), chosen, chosen + 1);
    scheduler_.run_once();
    ++steps_;
    return true;
  }

  void come_to_rest() {
    for (const auto limit = steps_ + most_steps_at_once; step();) {
      if (steps_ < limit) continue;
      world_.breach("the tree never comes to rest");
      return;
    }
    promises_->check_quiet();
    const auto due = injector_->stop_due();
    if (due && end_->times == 0 && world_.now() > *due) world_.breach("the stop is late");
  }

  void run_until(TimePoint until) {
    while (world_.broken().empty()) {
      come_to_rest();
      if (world_.now() >= until) return;
      auto next = until;
      if (const auto due = world_.next_due()) next = std::min(next, *due);
      const auto& timers = scheduler_.clock().schedule();
      if (!timers.empty()) next = std::min<TimePoint>(next, timers.begin()->first);
      scheduler_.advance_time(std::max(Duration::zero(), next - world_.now()));
    }
  }

  void check_settled() {
    for (auto* engine : world_.engines())
      engine->check_settled();
  }

  void check_end() {
    if (!world_.broken().empty()) return;
    if (end_->times != 1) {
      world_.breach("the tree ends " + std::to_string(end_->times) + " times");
      return;
    }
    promises_->check_end(end_->how);
    injector_->check_end(promises_->events());
    if (!world_.engines().empty()) world_.breach("a supervisor lives after the end of the tree");
  }

  Config config_;
  caf::actor_system system_{config_};
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  World world_;
  std::shared_ptr<TreeServices> services_ = std::make_shared<TreeServices>();
  std::shared_ptr<TreePromises> promises_;
  std::shared_ptr<End> end_ = std::make_shared<End>();
  std::unique_ptr<Injector> injector_;
  caf::actor_addr root_;
  std::uint64_t steps_ = 0;
  Duration time_ = Duration::zero();
};

}  // namespace

Scenario scenario_of(std::uint64_t seed) {
  Scenario result{.seed = seed, .tree = RandomTree{seed}.write()};
  result.faults = random_faults(seed, result.tree);
  return result;
}

Outcome play(const Scenario& scenario) {
  Stage stage{scenario};
  stage.play(scenario.tree, scenario.faults.empty() ? Duration::zero() : scenario.faults.back().at);
  return stage.outcome();
}

Scenario reduced(Scenario scenario) {
  const auto fails = [](const Scenario& x) { return !play(x).broken.empty(); };
  for (auto size = scenario.faults.size(); size > 0; size /= 2) {
    for (std::size_t at = 0; at < scenario.faults.size();) {
      auto shorter = scenario;
      const auto from = shorter.faults.begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = std::min(size, scenario.faults.size() - at);
      shorter.faults.erase(from, from + static_cast<std::ptrdiff_t>(count));
      if (fails(shorter)) {
        scenario = std::move(shorter);
      } else {
        at += size;
      }
    }
  }
  return scenario;
}

}  // namespace espalier::simulation
