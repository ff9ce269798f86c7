// Everything that can happen to a small supervisor, in every order, up to a number of inputs:
// depth first, a fresh engine for every path. After each path the supervisor is told to stop and
// nobody answers; it must end all the same. The promises are those of engine_promises.hpp.
#include "libsupervisor/core/support/script_runner.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace espalier::supervisor {
namespace {

using testing_support::EnginePromises;
using testing_support::exited;

// One path: an engine, its watcher and the clock.
class Run {
 public:
  explicit Run(const SupervisorSpec& spec) : engine_(spec, context()), promises_(spec) {
    give(input::Start{});
  }

  void give(const Input& what) {
    if (std::holds_alternative<input::TimePassed>(what) && engine_.next_deadline())
      now_ = std::max(now_, *engine_.next_deadline());
    promises_.see(what, engine_.handle(what, now_), now_);
  }

  void stop_unanswered() {
    give(input::Stop{"test", {}, {}});
    for (int i = 0; i < 100 && engine_.next_deadline(); ++i)
      give(input::TimePassed{});
  }

  // What can happen next that makes a difference: each live child answers or dies, time passes,
  // an operator steps in.
  [[nodiscard]] std::vector<Input> possible(bool commands) const {
    std::vector<Input> all;
    if (promises_.finished()) return all;
    if (engine_.next_deadline()) all.emplace_back(input::TimePassed{});
    const auto count = engine_.size();
    for (ChildIndex c = 0; c < count; ++c)
      if (promises_.live(c) != 0) add_answers(c, all);
    if (!commands) return all;
    all.emplace_back(input::Stop{"test", {}, {}});
    all.emplace_back(order(CommandKind::stop_child, 0));
    all.emplace_back(order(CommandKind::restart_child, count - 1));
    return all;
  }

  [[nodiscard]] const EnginePromises& promises() const { return promises_; }

 private:
  static EngineContext context() {
    EngineContext context;
    context.sequence = std::make_shared<std::atomic<std::uint64_t>>(0);
    return context;
  }

  [[nodiscard]] Input order(CommandKind kind, ChildIndex child) const {
    auto command = std::make_shared<Command>();
    command->kind = kind;
    command->meta = {"tester", "a test"};
    return input::Order{1, engine_.child_name(child), std::move(command)};
  }

  void add_answers(ChildIndex c, std::vector<Input>& all) const {
    const auto generation = promises_.live(c);
    if (promises_.asked(c)) {
      all.emplace_back(exited(c, generation, ExitKind::stopped));
      return;
    }
    if (!promises_.ready(c)) all.emplace_back(input::ChildRunning{c, generation, {}});
    all.emplace_back(exited(c, generation, ExitKind::panicked));
    if (c == 0) all.emplace_back(exited(c, generation, ExitKind::completed));
  }

  SupervisorEngine engine_;
  EnginePromises promises_;
  TimePoint now_ = {};
};

class Explorer {
 public:
  explicit Explorer(const SupervisorSpec& spec, bool commands) : spec_(spec), commands_(commands) {}

  // Stops at the first path that breaks a promise, which is a shortest one for its prefix.
  void explore(std::size_t depth) {
    Run run{spec_};
    for (const auto& what : path_)
      run.give(what);
    const auto next = run.possible(commands_);
    run.stop_unanswered();
    ++paths_;
    check(run);
    if (depth == 0) return;
    for (const auto& what : next) {
      path_.push_back(what);
      explore(depth - 1);
      path_.pop_back();
      if (testing::Test::HasFailure()) return;
    }
  }

  [[nodiscard]] std::size_t paths() const { return paths_; }

 private:
  void check(const Run& run) {
    std::string what;
    for (const auto& sentence : run.promises().broken())
      what += sentence + "\n";
    if (!run.promises().finished()) what += "a stop that never ends\n";
    if (what.empty()) return;
    for (const auto& in : path_)
      what += " " + word(in);
    ADD_FAILURE() << what;
  }

  [[nodiscard]] std::string word(const Input& in) const {
    if (const auto* x = std::get_if<input::ChildRunning>(&in)) return "running " + name(x->child);
    if (const auto* x = std::get_if<input::ChildExited>(&in))
      return std::string{to_string(x->exit.kind)} + " " + name(x->child);
    if (const auto* x = std::get_if<input::Order>(&in))
      return std::string{to_string(x->command->kind)} + " " + x->child;
    return std::holds_alternative<input::Stop>(in) ? "stop" : "time";
  }
  [[nodiscard]] std::string name(ChildIndex c) const { return spec_.children[c].name + ","; }

  SupervisorSpec spec_;
  bool commands_;
  std::vector<Input> path_;
  std::size_t paths_ = 0;
};

SupervisorSpec small_spec(Strategy strategy, std::size_t count, bool dependent) {
  SupervisorSpec spec;
  spec.strategy = strategy;
  spec.start_failure = StartFailure::restart;
  spec.restart_limit = RestartLimit{2, std::chrono::milliseconds{100}};
  for (std::size_t i = 0; i < count; ++i) {
    ChildSpec child;
    child.name = std::string(1, static_cast<char>('a' + i));
    child.policy = testing_support::plain_policy();
    child.policy.stop.grace = std::chrono::milliseconds{10};
    child.policy.start_timeout = std::chrono::milliseconds{20};
    if (i == 1)
      child.policy.backoff.initial = child.policy.backoff.max = std::chrono::milliseconds{5};
    if (i == 2) child.policy.restart = RestartType::transient;
    if (dependent && i > 0) child.dependencies = {"a"};
    spec.children.push_back(child);
  }
  return spec;
}

// ESPALIER_DEPTH=N goes N inputs deeper than every build does.
std::size_t depth(std::size_t usual) {
  const char* text = std::getenv("ESPALIER_DEPTH");
  return usual + (text ? std::stoul(text) : 0);
}

class EngineEnumeration : public testing::TestWithParam<Strategy> {};

TEST_P(EngineEnumeration, KeepsItsPromisesInEveryOrderOfExitsAndTimers) {
  Explorer explorer{small_spec(GetParam(), 3, false), false};
  explorer.explore(depth(6));
  EXPECT_GT(explorer.paths(), 2000u);
}

TEST_P(EngineEnumeration, KeepsItsPromisesWithCommandsInBetween) {
  Explorer explorer{small_spec(GetParam(), 2, false), true};
  explorer.explore(depth(4));
  EXPECT_GT(explorer.paths(), 500u);
}

TEST_P(EngineEnumeration, KeepsItsPromisesWithDependencies) {
  Explorer explorer{small_spec(GetParam(), 3, true), false};
  explorer.explore(depth(5));
  EXPECT_GT(explorer.paths(), 500u);
}
INSTANTIATE_TEST_SUITE_P(Strategies, EngineEnumeration,
                         testing::Values(Strategy::one_for_one, Strategy::one_for_all,
                                         Strategy::rest_for_one),
                         [](const auto& x) { return std::string{to_string(x.param)}; });

}  // namespace
}  // namespace espalier::supervisor
