// Children that end as badly as they can: S6, S7, S11, S12.
#include "crash_loop.hpp"
#include "espalier/child_main.hpp"
#include "storm.hpp"

#include <csignal>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <thread>

namespace espalier::benchmarks {

namespace {

struct ThrowsAtItsEnd {
  ~ThrowsAtItsEnd() noexcept(false) { throw std::runtime_error("thrown by a destructor"); }
};

// Recursion that the compiler cannot turn into a loop.
int overflow(int depth) {
  std::array<volatile char, 4096> page{};
  page[static_cast<std::size_t>(depth) % page.size()] = 1;
  return depth < 0 ? 0 : overflow(depth + 1) + page[0];
}

const RegisteredChild segfaults{"segfault", [](ChildContext&) { std::raise(SIGSEGV); }};
const RegisteredChild overflows{"overflow", [](ChildContext&) { (void)overflow(1); }};
const RegisteredChild aborts{"abort", [](ChildContext&) { std::abort(); }};
const RegisteredChild loops{"loop", [](ChildContext& context) {
                              while (context.generation() > 0) {
                              }
                            }};
const RegisteredChild destroys{"destructor", [](ChildContext&) {
                                 try {
                                   const ThrowsAtItsEnd first;
                                   throw std::runtime_error("on the way out");
                                 } catch (...) {
                                 }
                               }};

ChildSpec function_child(const std::string& factory, Isolation isolation = Isolation::none) {
  ChildSpec child;
  child.name = factory;
  child.kind = ChildKind::blocking;
  child.factory = factory;
  child.isolation = isolation;
  child.policy.restart_limit.reset();
  const auto wait = std::chrono::milliseconds{isolation == Isolation::none ? 1 : 50};
  child.policy.backoff = {wait, wait, Jitter::none, Duration::zero()};
  child.policy.stop.grace = std::chrono::milliseconds{200};
  return child;
}

std::size_t exits_of(const Tally& tally, const std::string& path, ExitKind kind) {
  std::size_t result = 0;
  for (const auto& event : tally.kept()) {
    const auto* exited = std::get_if<events::ChildExited>(&event.body);
    result += exited && event.path == path && exited->exit.kind == kind ? 1 : 0;
  }
  return result;
}

void s6() {
  ChildFactories factories;
  auto starts = std::make_shared<std::atomic<int>>(0);
  add_actor(factories, "init", [starts](caf::event_based_actor*, auto) -> caf::behavior {
    if (++*starts <= 3) throw std::runtime_error("not yet");
    return {[](int) {}};
  });
  factories.add_blocking("stop", [](ChildContext& context) {
    while (context.sleep_for(std::chrono::hours{1})) {
    }
    throw std::runtime_error("while it was stopped");
  });
  auto in_init = actor_child("init");
  in_init.factory = "init";
  in_init.policy = without_limits();
  SupervisorSpec spec;
  spec.restart_limit.reset();
  spec.start_failure = StartFailure::restart;
  spec.children = {in_init, function_child("stop")};
  const auto tally = std::make_shared<Tally>();
  const auto tree = Supervisor::launch(std::move(spec), factories, watched_by(tally));
  if (!tree) return tell("S6", false, tree.error().message);
  const bool up = tree->wait_started() && comes_true([&] { return *starts == 4; });
  const auto result = tree->shutdown(who);
  const auto in_stop = exits_of(*tally, "/stop", ExitKind::panicked);
  tell("S6", up && *starts == 4 && in_stop == 1 && result && result->report.reconcile.clean(),
       text("crash in init: started again %d times, then up; crash in stop: %zu exit told as a "
            "panic, the shutdown clean",
            *starts - 1, in_stop));
}

void s7() {
  ChildFactories factories;
  auto release = std::make_shared<std::atomic<bool>>(false);
  factories.add_blocking("deaf", [release](ChildContext&) {
    while (!*release)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
  });
  SupervisorSpec spec;
  spec.shutdown.abort_wait = std::chrono::milliseconds{100};
  spec.children = {function_child("deaf")};
  const auto tree = Supervisor::start(std::move(spec), factories, with_ring());
  if (!tree) return tell("S7", false, tree.error().message);
  const auto begin = Clock::now();
  const auto result = tree->shutdown(who);
  const auto ms = ms_since(begin);
  const auto orphans = result ? result->report.count(ChildShutdownOutcome::abort_failed) : 0;
  *release = true;
  tell("S7", orphans == 1 && ms < 350,
       text("a child that ignores its stop: given up after %.1f ms (200 of grace and 100 to abort, "
            "at "
            "most 50 more), %zu listed as an orphan",
            ms, orphans));
}

void s11() {
  auto factories = registered_children();
  factories.add_blocking("exception",
                         [](ChildContext&) { throw std::runtime_error("an exception"); });
  factories.add_blocking("number", [](ChildContext&) { throw 42; });
  factories.add_blocking("memory", [](ChildContext&) { throw std::bad_alloc{}; });
  SupervisorSpec spec;
  spec.restart_limit.reset();
  spec.children = {function_child("exception"), function_child("number"), function_child("memory"),
                   function_child("destructor", Isolation::process)};
  const auto tally = std::make_shared<Tally>();
  const auto tree = Supervisor::launch(std::move(spec), factories, watched_by(tally));
  if (!tree) return tell("S11", false, tree.error().message);
  const auto panics = [&](const char* path) { return exits_of(*tally, path, ExitKind::panicked); };
  const bool contained = comes_true([&] {
    return panics("/exception") >= 10 && panics("/number") >= 10 && panics("/memory") >= 10 &&
           exits_of(*tally, "/destructor", ExitKind::signalled) >= 3;
  });
  const auto result = tree->shutdown(who);
  tell("S11", contained && result && result->report.reconcile.clean(),
       "std::exception, a number and bad_alloc are panics of their child, restarted ten times "
       "each; an "
       "exception in a destructor ends the process of an isolated child, and nothing else");
}

void s12() {
  SupervisorSpec spec;
  spec.restart_limit.reset();
  for (const char* name : {"segfault", "overflow", "abort", "loop"})
    spec.children.push_back(function_child(name, Isolation::process));
  const auto tally = std::make_shared<Tally>();
  const auto tree = Supervisor::launch(std::move(spec), registered_children(), watched_by(tally));
  if (!tree) return tell("S12", false, tree.error().message);
  const auto begin = Clock::now();
  const auto signals = [&](const char* path) {
    return exits_of(*tally, path, ExitKind::signalled);
  };
  const bool survived = comes_true([&] {
    return signals("/segfault") >= 3 && signals("/overflow") >= 3 && signals("/abort") >= 3;
  });
  const auto ms = ms_since(begin);
  const auto result = tree->shutdown(who);
  const auto aborted = result ? result->report.count(ChildShutdownOutcome::aborted) : 0;
  tell("S12", survived && aborted >= 1 && result->report.reconcile.clean(),
       text("SIGSEGV, stack overflow and abort in processes of their own: three lives of each in "
            "%.0f "
            "ms; an endless loop is killed at the end; in the program itself they cannot be "
            "contained",
            ms));
}

}  // namespace

void storms_of_endings() {
  s6();
  s7();
  s11();
  s12();
}

}  // namespace espalier::benchmarks
