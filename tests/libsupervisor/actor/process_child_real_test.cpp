#include "espalier/supervisor/actor/supervisor_actor.hpp"
#include "support/recording_sink.hpp"

#include <caf/all.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

struct SilentUplink final : Uplink {
  void up() override {}
  void finished(const effect::Finished&) override {}
};

// The supervisor begins anew elsewhere: what it had started must not go on beside that.
TEST(ProcessChild, EndsWithASupervisorThatIsKilled) {
  const auto sink = std::make_shared<RecordingSink>();
  const auto services = std::make_shared<TreeServices>();
  services->sinks = {sink};
  ChildSpec child{.name = "a", .kind = ChildKind::process};
  child.process = std::make_shared<ProcessSpec>(ProcessSpec{.command = {"sleep", "300"}});
  const auto line = std::make_shared<ReportLine>();
  caf::actor_system_config config;
  {
    caf::actor_system system{config};
    auto root = system.spawn<supervisor::SupervisorActor>(SupervisorStart{
        .services = services,
        .spec = std::make_shared<SupervisorSpec>(SupervisorSpec{.children = {child}}),
        .uplink = std::make_shared<SilentUplink>(),
        .line = line});
    line->open(root);
    ASSERT_TRUE(sink->wait_for("/a", "child_ready"));
    ASSERT_EQ(services->host().running(), 1U);
    caf::anon_send_exit(root, caf::exit_reason::kill);
    root = nullptr;
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (services->host().running() > 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  EXPECT_EQ(services->host().running(), 0U);
}

}  // namespace
}  // namespace espalier::supervisor::testing
