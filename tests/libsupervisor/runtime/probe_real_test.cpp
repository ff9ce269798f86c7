#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ProbeRuntime : public RuntimeFixture {
 protected:
  ProbeRuntime() {
    std::string name = std::filesystem::temp_directory_path() / "espalier-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~ProbeRuntime() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string file(const std::string& name) const {
    return (folder_ / name).string();
  }
  static std::shared_ptr<const ProbeSpec> quick(ProbeSpec spec) {
    spec.interval = 20ms;
    return std::make_shared<const ProbeSpec>(std::move(spec));
  }
  std::shared_ptr<const ProbeSpec> file_exists(const std::string& name) const {
    return quick({.command = {"test", "-e", file(name)}});
  }
  void touch(const std::string& name) const { std::ofstream{file(name)} << "x"; }

  std::filesystem::path folder_;
};

TEST_F(ProbeRuntime, AChildIsReadyOnceItsProbeIsWell) {
  auto server = blocking("server");
  server.policy.readiness = Readiness::probe;
  server.policy.readiness_probe = file_exists("up");
  auto tree = launch({.children = {server, blocking("client")}});
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_TRUE(sink_->wait_for("/server", "probe_failed", 2));
  EXPECT_EQ(sink_->count("/client", "child_running"), 0u);
  touch("up");
  EXPECT_TRUE(tree->wait_started());
  EXPECT_EQ(sink_->count("/client", "child_running"), 1u);
  ASSERT_TRUE(tree->shutdown(meta_));
  const auto failed = sink_->bodies<events::ProbeFailed>("/server");
  ASSERT_FALSE(failed.empty());
  EXPECT_THAT(failed.front().message, HasSubstr("command 'test': exit code 1"));
}

TEST_F(ProbeRuntime, AChildThatIsUnwellIsReplaced) {
  touch("well");
  auto child = blocking("a");
  child.policy.health_check = file_exists("well");
  auto tree = start({.children = {child}});
  ASSERT_TRUE(tree) << tree.error().message;
  std::filesystem::remove(file("well"));
  ASSERT_TRUE(sink_->wait_for("/a", "child_unhealthy"));
  touch("well");
  EXPECT_TRUE(sink_->wait_for("/a", "child_running", 2));
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->report.reconcile.clean());
}

TEST_F(ProbeRuntime, AFunctionMayAsk) {
  auto well = std::make_shared<std::atomic<bool>>(true);
  factories_.add_probe("is_well", [well](const std::string& path) {
    if (!*well) throw std::runtime_error(path + " lost its database");
    return true;
  });
  auto child = actor("a");
  child.policy.health_check = quick({.kind = ProbeSpec::Kind::function, .function = "is_well"});
  auto tree = start({.children = {child}});
  ASSERT_TRUE(tree) << tree.error().message;
  *well = false;
  ASSERT_TRUE(sink_->wait_for("/a", "child_unhealthy"));
  *well = true;
  ASSERT_TRUE(tree->shutdown(meta_));
  const auto failed = sink_->bodies<events::ProbeFailed>("/a");
  ASSERT_FALSE(failed.empty());
  EXPECT_EQ(failed.front().message, "probe 'is_well': /a lost its database");
}

TEST_F(ProbeRuntime, AGateHoldsAStartUntilItsOwnerIsGone) {
  const auto path = file("socket");
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 5), 0);
  auto child = blocking("a");
  child.gates = {{StartGate::Kind::path, path}};
  auto tree = launch({.children = {child}});
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_TRUE(sink_->wait_for("/a", "child_blocked"));
  EXPECT_EQ(sink_->count("/a", "child_running"), 0u);
  ::close(listener);
  EXPECT_TRUE(sink_->wait_for("/a", "child_running"));
  ASSERT_TRUE(tree->shutdown(meta_));
  const auto blocked = sink_->bodies<events::ChildBlocked>("/a");
  ASSERT_FALSE(blocked.empty());
}

TEST_F(ProbeRuntime, TheEndOfATreeEndsItsProbes) {
  auto child = blocking("a");
  child.policy.health_check = quick({.command = {"sleep", "1000"}, .timeout = 1h});
  auto tree = start({.children = {child}});
  ASSERT_TRUE(tree) << tree.error().message;
  std::this_thread::sleep_for(100ms);
  const auto begun = std::chrono::steady_clock::now();
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  EXPECT_TRUE(result->report.reconcile.clean());
}

TEST_F(ProbeRuntime, AProbeFunctionThatHangsIsNamedAsAnOrphan) {
  auto let = std::make_shared<std::atomic<bool>>(false);
  factories_.add_probe("hang", [let](const std::string&) {
    while (!*let)
      std::this_thread::sleep_for(1ms);
    return true;
  });
  auto child = blocking("a");
  child.policy.health_check = quick({.kind = ProbeSpec::Kind::function, .function = "hang"});
  auto tree = start({.children = {child}});
  ASSERT_TRUE(tree) << tree.error().message;
  std::this_thread::sleep_for(100ms);
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  bool named = false;
  for (const auto& check : result->report.reconcile.checks) {
    for (const auto& found : check.found)
      named = named || found == "probe function of /a";
  }
  EXPECT_TRUE(named);
  *let = true;
}

}  // namespace
}  // namespace espalier::supervisor::testing
