#include "espalier/supervisor/core/pipeline_work.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

const CommandMeta who{"test", "because"};

// Stands for a pipeline: runs until it is drained or aborted, and says which it was.
class Work final : public PipelineWork {
 public:
  explicit Work(std::string& log) : log_(log) {}

  void run(ChildContext& context) override {
    context.report_ready();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return aborted_ || (drained_ && !deaf_); });
  }
  void drain() override { note("drain", drained_); }
  void abort() override { note("abort", aborted_); }
  void ignore_drains() { deaf_ = true; }

 private:
  void note(const char* word, bool& flag) {
    const std::lock_guard lock(mutex_);
    if (!flag) log_ += std::string(word) + ' ';
    flag = true;
    changed_.notify_all();
  }
  std::string& log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool drained_ = false;
  bool aborted_ = false;
  bool deaf_ = false;
};

SupervisorSpec tree_of(const std::string& factory) {
  ChildSpec child{.name = "flow", .kind = ChildKind::pipeline, .factory = factory};
  child.policy.stop.grace = 100ms;
  return {.children = {child}};
}

TEST(PipelineChild, IsDrainedWhenItStops) {
  std::string log;
  ChildFactories factories;
  factories.add_pipeline("work", [&] { return std::make_shared<Work>(log); });
  auto handle = Supervisor::start(tree_of("work"), factories);
  ASSERT_TRUE(handle) << handle.error().message;
  const auto result = handle->shutdown(who);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->report.reconcile.clean());
  EXPECT_EQ(log, "drain ");
}

TEST(PipelineChild, IsAbortedWhenTheDrainTakesTooLong) {
  std::string log;
  ChildFactories factories;
  factories.add_pipeline("deaf", [&] {
    auto work = std::make_shared<Work>(log);
    work->ignore_drains();
    return work;
  });
  auto handle = Supervisor::start(tree_of("deaf"), factories);
  ASSERT_TRUE(handle) << handle.error().message;
  const auto result = handle->shutdown(who);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->report.reconcile.clean());
  EXPECT_EQ(log, "drain abort ");
}

TEST(PipelineChild, WithoutItsFactoryIsRefusedByName) {
  const auto handle = Supervisor::start(tree_of("nothing"), ChildFactories{});
  ASSERT_FALSE(handle);
  EXPECT_NE(handle.error().message.find("nothing"), std::string::npos) << handle.error().message;
}

}  // namespace
}  // namespace espalier::supervisor
