#include "libsupervisor/actor/actor_fixture.hpp"

#include <future>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;

class Places : public ActorFixture {
 protected:
  Places() {
    services_->admission =
        std::make_shared<AdmissionDesk>(AdmissionSpec{.max_concurrent_starts = 1});
  }

  static ChildSpec slow(const std::string& name) {
    auto result = child(name);
    result.policy.readiness = Readiness::explicit_report;
    return result;
  }
  void report_ready(const std::string& path) {
    latest(path).context->report_ready();
    settle();
  }
  caf::actor supervisor_at(const std::string& path) {
    services_->directory->find(path)->line->ping({std::make_shared<std::promise<void>>()});
    auto* const job = dynamic_cast<caf::event_based_actor*>(scheduler_.jobs.back());
    return caf::actor_cast<caf::actor>(job);
  }
};

TEST_F(Places, TheNextOneStartsWhenOneIsReady) {
  launch({.start_failure = StartFailure::restart, .children = {slow("a"), slow("b")}});
  report_ready("/a");
  report_ready("/b");
  crash("/a");
  crash("/b");
  advance(1s);
  ASSERT_EQ(starts_of("/a"), 2u);
  ASSERT_EQ(starts_of("/b"), 1u) << "there is one place";
  report_ready("/a");
  EXPECT_EQ(starts_of("/b"), 2u);
}

TEST_F(Places, ASupervisorThatIsKilledGivesItsPlacesBack) {
  auto mid = subtree("mid", {.start_failure = StartFailure::restart, .children = {slow("x")}});
  mid.policy.readiness = Readiness::immediate;
  launch({.start_failure = StartFailure::restart, .children = {mid, child("a")}});
  report_ready("/mid/x");
  crash("/mid/x");
  advance(1s);
  ASSERT_EQ(starts_of("/mid/x"), 2u) << "it has the only place and is not ready";
  crash("/a");
  advance(1s);
  ASSERT_EQ(starts_of("/a"), 1u);
  caf::anon_send_exit(supervisor_at("/mid"), caf::exit_reason::kill);
  advance(1s);
  EXPECT_EQ(starts_of("/a"), 2u);
}

}  // namespace
}  // namespace espalier::supervisor::testing
