#include "espalier/child_main.hpp"
#include "recorder.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#if defined(__SANITIZE_ADDRESS__)
constexpr bool under_asan = true;
#else
constexpr bool under_asan = false;
#endif

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

volatile int sink_of_bytes = 0;
int* volatile nowhere = nullptr;

[[gnu::noinline]] void store_through_null() {
  *nowhere = 1;
}

volatile bool enough = false;  // Never; but no compiler knows.

[[gnu::noinline]] int recurse_for_ever(int depth) {
  volatile char frame[4096] = {};
  frame[depth % 4096] = 1;
  if (enough) return depth;
  const int below = recurse_for_ever(depth + 1);
  sink_of_bytes = frame[0];
  return below + 1;
}

void allocate_for_ever() {
  for (std::vector<std::unique_ptr<char[]>> all;;) {
    all.push_back(std::make_unique<char[]>(16U << 20U));
  }
}

void wait_for_stop(ChildContext& context) {
  while (context.sleep_for(1min)) {
  }
}

ChildFactories functions() {
  ChildFactories all;
  all.add_blocking("null", [](ChildContext&) { store_through_null(); });
  all.add_blocking("overflow", [](ChildContext&) { sink_of_bytes = recurse_for_ever(0); });
  all.add_blocking("abort", [](ChildContext&) { std::abort(); });
  all.add_blocking("terminate", [](ChildContext&) {
    std::thread{[] { throw std::runtime_error{"in a thread"}; }}.join();
  });
  all.add_blocking("allocate", [](ChildContext&) { allocate_for_ever(); });
  all.add_blocking("exit", [](ChildContext& x) { std::exit(std::stoi(x.params().at("code"))); });
  all.add_blocking("throw", [](ChildContext&) { throw std::runtime_error{"no such table"}; });
  all.add_blocking("fail", [](ChildContext&) {
    throw ChildFailure{FailureCategory::external_dependency, "no database"};
  });
  all.add_blocking("tell", [](ChildContext& x) {
    x.report_status(x.path() + " " + std::to_string(x.generation()) + " " +
                    std::to_string(x.attempt()) + " " + x.params().at("text"));
    x.report_status(std::to_string(x.heartbeat_interval() / 1ms) + "ms");
    x.report_alive();
    x.report_ready();
    x.request_tree_shutdown("all done");
  });
  all.add_blocking("wait", [](ChildContext& x) {
    x.report_ready();
    wait_for_stop(x);
    x.report_status("stopping");
  });
  all.add_blocking("deaf", [](ChildContext& x) {
    x.report_ready();
    for (;;)
      ::pause();
  });
  all.add_blocking("count", [](ChildContext& x) {
    for (int i = 0; x.sleep_for(5ms); ++i)
      x.report_status(std::to_string(i));
  });
  all.add_blocking("grandchild", [](ChildContext&) {
    if (std::system("ls -l /proc/self/fd | grep -c socket; env | grep -c ESPALIER_CHILD") < 0) {
      throw std::runtime_error{"no shell"};
    }
  });
  all.add_blocking("crash_at_exit",
                   [](ChildContext&) { std::atexit([] { store_through_null(); }); });
  all.add_blocking("hang_at_exit", [](ChildContext&) {
    std::atexit([] {
      for (;;)
        ::pause();
    });
  });
  return all;
}

class Asking final : public Recorder {
 public:
  void on_asks(input::Wish wish, const std::string& reason) override {
    asked = (wish == input::Wish::shutdown ? "shutdown: " : "restart: ") + reason;
  }
  std::string asked;
};

struct Copy {
  ProcessToken token = 0;
  std::shared_ptr<Asking> heard = std::make_shared<Asking>();
};

class Isolation : public ::testing::Test {
 protected:
  Copy run(CopyCall call, std::shared_ptr<const ProcessSpec> spec = {}) {
    Copy copy;
    if (call.path.empty()) call.path = "/test";
    LaunchRequest request{
        .path = call.path, .generation = call.generation, .spec = std::move(spec)};
    request.call = std::make_shared<const CopyCall>(std::move(call));
    request.listener = copy.heard;
    copy.token = host_.launch(std::move(request));
    return copy;
  }
  ExitRecord exit_of(const std::string& factory) { return run({factory}).heard->wait_exit(); }
  static bool is_ready(const Copy& copy) {
    return copy.heard->wait([&] { return copy.heard->ready > 0; });
  }
  ProcessHost host_;
};

TEST_F(Isolation, ANullDereferenceIsToldWithTheFunctionThatDidIt) {
  const auto exit = exit_of("null");
  EXPECT_EQ(exit.kind, ExitKind::signalled);
  EXPECT_EQ(exit.signal, SIGSEGV);
  EXPECT_EQ(exit.message, "segmentation fault at address 0x0");
  ASSERT_TRUE(exit.trace);
  EXPECT_THAT(exit.trace->front(), HasSubstr("store_through_null()"));
  EXPECT_THAT(*exit.trace, Contains(HasSubstr("child_main")));
}

TEST_F(Isolation, AStackOverflowIsToldAsOne) {
  const auto exit = exit_of("overflow");
  EXPECT_EQ(exit.signal, SIGSEGV);
  EXPECT_THAT(exit.message, StartsWith("stack overflow: segmentation fault at address 0x"));
  ASSERT_TRUE(exit.trace);
  EXPECT_THAT(*exit.trace, Contains(HasSubstr("recurse_for_ever(int)")));
}

TEST_F(Isolation, AnAbortIsTold) {
  const auto exit = exit_of("abort");
  EXPECT_EQ(exit.signal, SIGABRT);
  EXPECT_EQ(exit.message, "abort");
  ASSERT_TRUE(exit.trace);
  EXPECT_THAT(*exit.trace, Contains(HasSubstr("functions()")));
}

TEST_F(Isolation, AnExceptionThatEscapesAThreadIsAnAbortWithItsWordsInTheOutput) {
  const auto copy = run({"terminate"});
  EXPECT_EQ(copy.heard->wait_exit().signal, SIGABRT);
  EXPECT_THAT(copy.heard->output(), HasSubstr("in a thread"));
}

TEST_F(Isolation, EndlessAllocationMeetsItsLimit) {
  if (under_asan) GTEST_SKIP() << "the address sanitizer reserves more than any limit allows";
  ProcessSpec spec;
  spec.resource_limits.memory_bytes = std::uint64_t{512} << 20U;
  const auto exit = run({"allocate"}, std::make_shared<ProcessSpec>(spec)).heard->wait_exit();
  EXPECT_EQ(exit.kind, ExitKind::panicked);
  EXPECT_EQ(exit.category, FailureCategory::panic);
  EXPECT_EQ(exit.message, "std::bad_alloc");
}

TEST_F(Isolation, AnEndlessLoopEndsByForce) {
  const auto copy = run({"deaf"});
  ASSERT_TRUE(is_ready(copy));
  host_.stop(copy.token);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(host_.running(), 1U);
  host_.abort(copy.token);
  EXPECT_EQ(copy.heard->wait_exit().signal, SIGKILL);
}

TEST_F(Isolation, ExceptionsAndFailuresKeepTheirWords) {
  const auto panic = exit_of("throw");
  EXPECT_EQ(panic.kind, ExitKind::panicked);
  EXPECT_EQ(panic.message, "no such table");
  const auto failure = exit_of("fail");
  EXPECT_EQ(failure.kind, ExitKind::failed);
  EXPECT_EQ(failure.category, FailureCategory::external_dependency);
  EXPECT_EQ(failure.message, "no database");
  EXPECT_FALSE(failure.code);
}

TEST_F(Isolation, ExitCodesAreThoseOfAProcess) {
  const auto code = [this](const std::string& text) {
    return run({.factory = "exit", .params = {{"code", text}}}).heard->wait_exit();
  };
  EXPECT_EQ(code("0").kind, ExitKind::completed);
  EXPECT_EQ(code("3").kind, ExitKind::failed);
  EXPECT_EQ(code("3").code, 3);
}

TEST_F(Isolation, TheContextIsTheSame) {
  CopyCall call{.factory = "tell", .path = "/a/b", .generation = 9, .attempt = 4};
  call.heartbeat_interval = 250ms;
  call.params = {{"text", "with, commas\nand lines"}};
  const auto copy = run(std::move(call));
  EXPECT_EQ(copy.heard->wait_exit().kind, ExitKind::completed);
  ASSERT_EQ(copy.heard->status.size(), 2U);
  EXPECT_EQ(copy.heard->status[0], "/a/b 9 4 with, commas\nand lines");
  EXPECT_EQ(copy.heard->status[1], "250ms");
  EXPECT_EQ(copy.heard->alive, 1);
  EXPECT_EQ(copy.heard->ready, 1);
  EXPECT_EQ(copy.heard->asked, "shutdown: all done");
  EXPECT_GT(copy.heard->wait_pid(), 0);
}

TEST_F(Isolation, AStopIsHeardAtOnceAndTheFunctionEndsInPeace) {
  const auto copy = run({"wait"});
  ASSERT_TRUE(is_ready(copy));
  const auto before = std::chrono::steady_clock::now();
  host_.stop(copy.token);
  EXPECT_EQ(copy.heard->wait_exit().kind, ExitKind::completed);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
  EXPECT_THAT(copy.heard->status, Contains("stopping"));
}

TEST_F(Isolation, AStopBeforeTheCopyListensIsNotLost) {
  const auto copy = run({"wait"});
  host_.stop(copy.token);
  EXPECT_EQ(copy.heard->wait_exit().kind, ExitKind::completed);
}

TEST_F(Isolation, AnUnknownFunctionIsAConfigurationError) {
  const auto exit = exit_of("no_such");
  EXPECT_EQ(exit.kind, ExitKind::failed);
  EXPECT_EQ(exit.category, FailureCategory::fatal_config);
  EXPECT_THAT(exit.message, HasSubstr("no blocking function named 'no_such'"));
}

TEST_F(Isolation, AProgramThatDoesNotCallChildMainIsKilledAndTold) {
  CopyCall call{.factory = "wait", .path = "/forgetful"};
  call.patience = 300ms;
  const auto copy = run(std::move(call));
  const auto exit = copy.heard->wait_exit();
  EXPECT_EQ(exit.kind, ExitKind::failed);
  EXPECT_EQ(exit.category, FailureCategory::fatal_config);
  EXPECT_THAT(exit.message,
              HasSubstr("did not call espalier::child_main as the first line of main"));
  EXPECT_EQ(copy.heard->wait_pid(), 0) << "it never ran";
}

TEST_F(Isolation, AProgramThatEndsBeforeChildMainIsToldToo) {
  const auto exit = run({.factory = "wait", .path = "/refuses"}).heard->wait_exit();
  EXPECT_EQ(exit.category, FailureCategory::fatal_config);
  EXPECT_EQ(exit.code, 2);
  EXPECT_THAT(exit.message, HasSubstr("before it called espalier::child_main"));
}

TEST_F(Isolation, ParamsThatAreTooLargeAreRefused) {
  const auto exit =
      run({.factory = "tell", .params = {{"text", std::string(70'000, 'x')}}}).heard->wait_exit();
  EXPECT_EQ(exit.category, FailureCategory::fatal_config);
  EXPECT_THAT(exit.message, HasSubstr("its params have 700"));
  const auto fits =
      run({.factory = "tell", .params = {{"text", std::string(60'000, 'x')}}}).heard->wait_exit();
  EXPECT_EQ(fits.kind, ExitKind::completed);
}

TEST_F(Isolation, GrandchildrenInheritNeitherTheSocketNorTheSign) {
  const auto copy = run({"grandchild"});
  EXPECT_EQ(copy.heard->wait_exit().kind, ExitKind::completed);
  EXPECT_EQ(copy.heard->output(), "0\n0\n");
}

TEST_F(Isolation, TheWorldOfTheProcessIsReal) {
  ProcessSpec spec;
  spec.cwd = "/";
  spec.log_output = true;
  spec.environment = {{"ESPALIER_CHILD_FD", "77"}};
  spec.command = {"not", "used"};
  const auto copy = run({"wait"}, std::make_shared<ProcessSpec>(spec));
  ASSERT_TRUE(is_ready(copy));
  const auto cwd =
      std::filesystem::read_symlink("/proc/" + std::to_string(copy.heard->wait_pid()) + "/cwd");
  EXPECT_EQ(cwd, "/");
  host_.stop(copy.token);
  EXPECT_EQ(copy.heard->wait_exit().kind, ExitKind::completed);
}

TEST_F(Isolation, ACrashAfterTheFunctionIsStillToldForWhatItIs) {
  const auto exit = exit_of("crash_at_exit");
  EXPECT_EQ(exit.signal, SIGSEGV);
  EXPECT_THAT(exit.message, HasSubstr("after its function had completed"));
}

TEST_F(Isolation, ACopyThatDoesNotEndAfterItsFunctionIsEnded) {
  CopyCall call{.factory = "hang_at_exit"};
  call.patience = 500ms;
  EXPECT_EQ(run(std::move(call)).heard->wait_exit().kind, ExitKind::completed);
}

TEST_F(Isolation, SuspensionStopsTheClockAndAStopStillGetsThrough) {
  const auto copy = run({"count"});
  const auto count = [&] {
    std::size_t now = 0;
    copy.heard->wait([&] {
      now = copy.heard->status.size();
      return true;
    });
    return now;
  };
  ASSERT_TRUE(copy.heard->wait([&] { return copy.heard->status.size() > 3; }));
  host_.suspend(copy.token, true);
  std::this_thread::sleep_for(100ms);
  const auto frozen = count();
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(count(), frozen);
  host_.suspend(copy.token, false);
  EXPECT_TRUE(copy.heard->wait([&] { return copy.heard->status.size() > frozen + 3; }));
  host_.suspend(copy.token, true);
  host_.stop(copy.token);
  EXPECT_EQ(copy.heard->wait_exit().kind, ExitKind::completed);
}

TEST_F(Isolation, SuspensionOfACommandReachesItsWholeGroup) {
  const auto process = launch(host_, shell("while :; do echo x; sleep 0.01; done"));
  ASSERT_TRUE(process.heard->wait([&] { return process.heard->line_count > 3; }));
  host_.suspend(process.token, true);
  std::this_thread::sleep_for(100ms);
  std::size_t frozen = 0;
  process.heard->wait([&] { return (frozen = process.heard->line_count) > 0; });
  std::this_thread::sleep_for(200ms);
  process.heard->wait([&] {
    EXPECT_EQ(process.heard->line_count, frozen);
    return true;
  });
  host_.abort(process.token);
  EXPECT_EQ(process.heard->wait_exit().signal, SIGKILL);
}

bool is_alive(std::int64_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto name_end = text.rfind(") ");
  return name_end != std::string::npos && text[name_end + 2] != 'Z' && text[name_end + 2] != 'X';
}

TEST(IsolationAndItsSupervisor, TheCopyDiesWithIt) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  const auto supervisor = ::fork();
  if (supervisor == 0) {
    ProcessHost host;
    const auto heard = std::make_shared<Asking>();
    LaunchRequest request{.path = "/test", .listener = heard};
    request.call = std::make_shared<const CopyCall>(CopyCall{"deaf", "/test"});
    host.launch(std::move(request));
    const auto pid = heard->wait_pid();
    if (::write(ends[1], &pid, sizeof pid) < 0) ::_exit(1);
    for (;;)
      ::pause();
  }
  std::int64_t pid = 0;
  ASSERT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  EXPECT_TRUE(is_alive(pid));
  ::kill(supervisor, SIGKILL);
  ::waitpid(supervisor, nullptr, 0);
  for (int i = 0; i < 500 && is_alive(pid); ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(is_alive(pid));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(Isolation, AHundredCopiesOneAfterTheOtherLeaveNothingBehind) {
  const auto descriptors = [] {
    using Iterator = std::filesystem::directory_iterator;
    return std::distance(Iterator{"/proc/self/fd"}, Iterator{});
  };
  exit_of("fail");
  const auto before = descriptors();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i)
    exit_of("fail");
  const auto took = std::chrono::steady_clock::now() - begin;
  // The host tells of an exit before it has closed the last of what belonged to it.
  for (int i = 0; i < 200 && descriptors() > before; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  EXPECT_LE(descriptors(), before);
  EXPECT_EQ(host_.running(), 0U);
  std::printf("launch to exit of one copy: %.2f ms\n",
              std::chrono::duration<double, std::milli>(took).count() / 100);
}

TEST(ChildMain, AnOrdinaryRunIsNoCopy) {
  char program[] = "program";
  char option[] = "--espalier-child=/made/up";
  char* argv[] = {program, option, nullptr};
  EXPECT_FALSE(child_main(1, argv, {}));
  EXPECT_FALSE(child_main(2, argv, {})) << "nobody said where the socket is";
  ::setenv("ESPALIER_CHILD_FD", "3", 1);
  EXPECT_FALSE(child_main(1, argv, {}));
  ::unsetenv("ESPALIER_CHILD_FD");
}

const RegisteredChild registered{"registered", [](ChildContext& x) { x.report_ready(); }};

TEST_F(Isolation, AFunctionRegisteredAtNamespaceScopeIsFound) {
  EXPECT_TRUE(registered_children().find_blocking("registered"));
  const auto copy = run({.factory = "registered", .path = "/registered"});
  EXPECT_EQ(copy.heard->wait_exit().kind, ExitKind::completed);
  EXPECT_EQ(copy.heard->ready, 1);
}

}  // namespace
}  // namespace espalier::supervisor::testing

namespace {

bool is_copy(int argc, char** argv, const char* path) {
  return argc > 1 && std::strcmp(argv[1], (std::string{"--espalier-child="} + path).c_str()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (is_copy(argc, argv, "/refuses")) return 2;
  while (is_copy(argc, argv, "/forgetful"))
    ::pause();
  const auto code =
      is_copy(argc, argv, "/registered")
          ? espalier::child_main(argc, argv)
          : espalier::child_main(argc, argv, espalier::supervisor::testing::functions());
  if (code) return *code;
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
