#include "espalier/child_main.hpp"
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

int* volatile nowhere = nullptr;
volatile bool enough = false;  // Never; but no compiler knows.
volatile int result = 0;

[[gnu::noinline]] int fall(int depth) {
  volatile char frame[4096] = {};
  frame[depth % 4096] = 1;
  if (enough) return depth;
  return fall(depth + 1) + frame[0];
}

void store_through_null(ChildContext&) {
  *nowhere = 1;
}

void loop_for_ever(ChildContext&) {
  while (!enough) {
  }
}

void allocate_for_ever(ChildContext&) {
  for (std::vector<std::unique_ptr<char[]>> all;;)
    all.push_back(std::make_unique<char[]>(16U << 20U));
}

/// Shows what a context gives and takes, then fails or waits.
void tell(ChildContext& context) {
  context.report_status(context.path() + " " + context.params().at("text") + " " +
                        std::to_string(context.heartbeat_interval() / 1ms));
  context.report_alive();
  context.report_ready();
  if (context.params().at("end") == "fail") {
    throw ChildFailure{FailureCategory::external_dependency, "no database"};
  }
  if (context.params().at("end") == "throw") throw std::runtime_error{"no such table"};
  while (context.sleep_for(1min)) {
  }
}

const RegisteredChild null{"null", store_through_null};
const RegisteredChild overflow{"overflow", [](ChildContext&) { result = fall(0); }};
const RegisteredChild aborts{"abort", [](ChildContext&) { std::abort(); }};
const RegisteredChild loops{"loop", loop_for_ever};
const RegisteredChild allocates{"allocate", allocate_for_ever};
const RegisteredChild tells{"tell", tell};
const RegisteredChild prints{"print", [](ChildContext&) { std::puts("from the copy"); }};

class IsolatedTree : public RuntimeFixture {
 protected:
  IsolatedTree() {
    factories_ = registered_children();
    factories_.add_blocking("wait", [](ChildContext& context) {
      while (context.sleep_for(1min)) {
      }
    });
  }

  static ChildSpec isolated(const std::string& name, const std::string& factory) {
    auto spec = blocking(name, factory);
    spec.isolation = Isolation::process;
    return spec;
  }

  /// The first exit of such a child, which must be restarted while its siblings live on.
  ExitRecord crash(ChildSpec child) {
    child.name = "crash";
    child.policy.restart_limit = RestartLimit{1000, 60s};
    child.policy.backoff.initial = child.policy.backoff.max = 200ms;
    const auto path = "/crash";
    auto tree =
        launch({.start_failure = StartFailure::restart,
                .restart_limit = RestartLimit{1000, 60s},
                .children = {child, command("process", {"sleep", "1000"}), blocking("thread")}});
    if (!tree) {
      ADD_FAILURE() << tree.error().message;
      return {};
    }
    EXPECT_TRUE(sink_->wait_for(path, "child_exited", 2));
    EXPECT_TRUE(sink_->wait_for("/thread", "child_ready"));
    EXPECT_EQ(sink_->count("/process", "child_exited"), 0U);
    EXPECT_EQ(sink_->count("/thread", "child_exited"), 0U);
    const auto exits = sink_->bodies<events::ChildExited>(path);
    EXPECT_TRUE(tree->shutdown(meta_));
    return exits.empty() ? ExitRecord{} : exits.front().exit;
  }

  /// What a child of `tell` does as its supervisor sees it.
  std::map<std::string, std::string> observed(Isolation isolation, const std::string& end) {
    const auto sink = sink_ = std::make_shared<RecordingSink>();
    auto child = blocking("tell", "tell");
    child.isolation = isolation;
    child.params = {{"text", "a,b\n\"c\""}, {"end", end}};
    child.policy.readiness = Readiness::explicit_report;
    child.policy.heartbeat_interval = 1500ms;
    child.policy.watchdog = 60s;
    child.policy.restart = RestartType::temporary;
    auto tree = launch({.children = {child}});
    if (!tree) return {{"error", tree.error().message}};
    EXPECT_TRUE(sink->wait_for("/tell", end == "wait" ? "child_ready" : "child_exited"));
    EXPECT_TRUE(tree->shutdown(meta_));
    std::map<std::string, std::string> seen;
    for (const auto& event : sink->events()) {
      if (event.path == "/tell") seen["types"] += std::string{type_name(event.body)} + " ";
      if (const auto* status = std::get_if<events::ChildStatusText>(&event.body))
        seen["status"] = status->text;
      if (const auto* exited = std::get_if<events::ChildExited>(&event.body))
        seen["exit"] = describe(exited->exit);
    }
    return seen;
  }
};

TEST_F(IsolatedTree, ANullDereferenceIsRestartedAndHurtsNobody) {
  const auto exit = crash(isolated("", "null"));
  EXPECT_EQ(exit.kind, ExitKind::signalled);
  EXPECT_EQ(exit.signal, SIGSEGV);
  EXPECT_EQ(exit.message, "segmentation fault at address 0x0");
  ASSERT_TRUE(exit.trace);
  EXPECT_THAT(exit.trace->front(), HasSubstr("store_through_null"));
}

TEST_F(IsolatedTree, AStackOverflowIsRestartedAndHurtsNobody) {
  const auto exit = crash(isolated("", "overflow"));
  EXPECT_EQ(exit.signal, SIGSEGV);
  EXPECT_THAT(exit.message, HasSubstr("stack overflow"));
  ASSERT_TRUE(exit.trace);
  EXPECT_THAT(*exit.trace, Contains(HasSubstr("fall(int)")));
}

TEST_F(IsolatedTree, AnAbortIsRestartedAndHurtsNobody) {
  const auto exit = crash(isolated("", "abort"));
  EXPECT_EQ(exit.signal, SIGABRT);
  EXPECT_EQ(exit.message, "abort");
}

TEST_F(IsolatedTree, AnEndlessLoopIsEndedByItsStartTimeoutAndHurtsNobody) {
  auto child = isolated("", "loop");
  child.policy.readiness = Readiness::explicit_report;
  child.policy.start_timeout = 300ms;
  child.policy.stop.grace = 50ms;
  EXPECT_EQ(crash(child).kind, ExitKind::timed_out);
}

TEST_F(IsolatedTree, EndlessAllocationMeetsItsLimitAndHurtsNobody) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer reserves more than any limit allows";
#endif
  auto child = isolated("", "allocate");
  ProcessSpec process;
  process.resource_limits.memory_bytes = std::uint64_t{512} << 20U;
  child.process = std::make_shared<ProcessSpec>(process);
  const auto exit = crash(child);
  EXPECT_EQ(exit.kind, ExitKind::panicked);
  EXPECT_EQ(exit.message, "std::bad_alloc");
}

TEST_F(IsolatedTree, AsAThreadAndAsAProcessTheSameIsSeen) {
  for (const std::string end : {"fail", "throw", "wait"}) {
    const auto thread = observed(Isolation::none, end);
    EXPECT_EQ(thread.at("status"), "/tell a,b\n\"c\" 1500");
    EXPECT_EQ(observed(Isolation::process, end), thread) << end;
  }
}

TEST_F(IsolatedTree, AStopIsGraceful) {
  auto tree = start({.children = {isolated("a", "wait"), isolated("b", "wait")}});
  ASSERT_FALSE(tree) << "only registered functions exist in the copy";
  EXPECT_THAT(tree.error().message, HasSubstr("no blocking function named 'wait'"));
  auto quiet = isolated("a", "tell");
  quiet.params = {{"text", ""}, {"end", "wait"}};
  tree = start({.children = {quiet}});
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_GT(pid_of("/a"), 0);
  const auto result_of = tree->shutdown(meta_);
  ASSERT_TRUE(result_of);
  EXPECT_EQ(result_of->report.count(ChildShutdownOutcome::graceful), 1U);
  EXPECT_TRUE(result_of->report.reconcile.clean());
}

TEST_F(IsolatedTree, AKilledCopyIsRestarted) {
  auto quiet = isolated("a", "tell");
  quiet.params = {{"text", ""}, {"end", "wait"}};
  auto tree = start({.children = {quiet}});
  ASSERT_TRUE(tree) << tree.error().message;
  ::kill(static_cast<pid_t>(pid_of("/a")), SIGKILL);
  EXPECT_TRUE(sink_->wait_for("/a", "child_ready", 2));
  const auto exits = sink_->bodies<events::ChildExited>("/a");
  ASSERT_FALSE(exits.empty());
  EXPECT_EQ(exits[0].exit.signal, SIGKILL);
  EXPECT_TRUE(tree->shutdown(meta_));
}

TEST_F(IsolatedTree, OutputOfTheCopyGoesToTheSink) {
  struct Lines : OutputSink {
    void write(const OutputLine& line) override {
      const std::lock_guard lock{mutex};
      all.push_back(line.path + ": " + line.text);
    }
    std::mutex mutex;
    std::vector<std::string> all;
  };
  const auto lines = std::make_shared<Lines>();
  auto with = options();
  with.output = lines;
  auto once = isolated("a", "print");
  once.policy.restart = RestartType::temporary;
  auto tree = Supervisor::start({.children = {once}}, factories_, with);
  ASSERT_TRUE(tree);
  ASSERT_TRUE(sink_->wait_for("/a", "child_exited"));
  ASSERT_TRUE(tree->shutdown(meta_));
  EXPECT_THAT(lines->all, ElementsAre("/a: from the copy"));
}

}  // namespace
}  // namespace espalier::supervisor::testing

int main(int argc, char** argv) {
  if (const auto code = espalier::child_main(argc, argv)) return *code;
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
