#include "libsupervisor/runtime/runtime_fixture.hpp"

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;

// What the loader checks in a file is checked again where it comes in at run time.
class LateChecksReal : public RuntimeFixture {
 protected:
  LateChecksReal() {
    auto companion = actor("companion");
    companion.sidecar = Sidecar{"first", false};
    handle_.emplace(*start({.children = {actor("first"), companion}}));
  }
  ~LateChecksReal() override { EXPECT_TRUE(handle_->shutdown(meta_)); }

  void expect_refused(const CommandResult& result, Error::Code code, const std::string& words) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_NE(result.error().message.find(words), std::string::npos) << result.error().message;
  }

  std::optional<SupervisorHandle> handle_;
};

TEST_F(LateChecksReal, a_policy_that_contradicts_itself_is_refused) {
  auto policy = quick_policy();
  policy.watchdog = 1s;
  policy.heartbeat_interval = 2s;
  expect_refused(handle_->set_policy("/first", policy, meta_), Error::Code::invalid_spec,
                 "/first: heartbeat.stale_after: ");
  policy.watchdog = 5s;
  EXPECT_TRUE(handle_->set_policy("/first", policy, meta_));
}

TEST_F(LateChecksReal, an_added_child_has_a_policy_that_holds_together) {
  auto child = actor("second");
  child.policy.backoff.initial = child.policy.backoff.max + 1s;
  expect_refused(handle_->add_child("/", child, meta_), Error::Code::invalid_spec,
                 "/second: backoff.initial: ");
}

TEST_F(LateChecksReal, an_added_sidecar_has_a_primary_that_is_none) {
  auto child = actor("second");
  child.role = WorkRole::sidecar;
  expect_refused(handle_->add_child("/", child, meta_), Error::Code::invalid_spec,
                 "a sidecar accompanies a sibling");
  child.sidecar = Sidecar{"companion", false};
  expect_refused(handle_->add_child("/", child, meta_), Error::Code::invalid_spec,
                 "is a sidecar itself");
  child.sidecar = Sidecar{"second", false};
  expect_refused(handle_->add_child("/", child, meta_), Error::Code::dependency,
                 "which is no sibling");
  child.sidecar = Sidecar{"first", true};
  EXPECT_TRUE(handle_->add_child("/", child, meta_));
}

TEST_F(LateChecksReal, an_added_child_is_significant_only_where_that_has_a_meaning) {
  auto child = actor("second");
  child.policy.restart = RestartType::transient;
  child.significant = true;
  expect_refused(handle_->add_child("/", child, meta_), Error::Code::invalid_spec,
                 "needs an auto_shutdown");
}

}  // namespace
}  // namespace espalier::supervisor::testing
