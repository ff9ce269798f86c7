#include "espalier/pipeline/build/builder.hpp"
#include "espalier/pipeline/show/display.hpp"
#include "espalier/pipeline/show/show.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;

TEST(ShownPipeline, EveryDisplayLetsAllResultsThrough) {
  for (const std::string& word : display_words()) {
    const int fd = open("/dev/null", O_WRONLY);
    auto pipeline = from<int>().stage("work", [](int n) { return n + 1; }).build();
    const auto tracker = std::make_shared<StatusTracker>();
    pipeline.track(tracker);
    {
      const Show show([&] { return pipeline.snapshot(); }, *make_display(word, {.fd = fd}),
                      {.total = 3, .interval = 1ms, .tracker = tracker});
      EXPECT_EQ(pipeline.run({1, 2, 3}).size(), 3u) << word;
    }
    close(fd);
  }
}

/// Waits for a picture of a worker that says what it does.
class Watcher final : public DashboardProtocol {
 public:
  void on_start(const std::string& name, std::optional<std::uint64_t> /*total*/) override {
    started = name;
  }
  void on_update(const DashboardView& view) override {
    for (const WorkerState& worker : view.snapshot.workers) {
      if (seen || worker.status.empty()) continue;
      seen = true;
      status.set_value(worker.name + " " + worker.item + " " + worker.status);
    }
  }
  void on_finish(const DashboardView& view, const ErrorSummary& summary) override {
    done = view.done();
    failed = summary.total_failed;
  }
  std::string started;
  bool seen = false;
  std::promise<std::string> status;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
};

// B18 and A68: while the first item is in work, its worker and its text are there.
TEST(ShownPipeline, ShowsWhatTheFirstWorkerDoesWhileItDoesIt) {
  const auto watcher = std::make_shared<Watcher>();
  std::promise<void> go_on;
  const auto gate = go_on.get_future().share();
  auto pipeline = from<int>()
                      .stage("work",
                             [gate](int n) {
                               set_task_status("half way");
                               gate.wait();
                               if (n == 2) throw std::runtime_error("bad");
                               return n;
                             })
                      .build({.name = "shown"});
  {
    const Show show([&] { return pipeline.snapshot(); }, watcher, {.interval = 1ms});
    EXPECT_EQ(watcher->started, "shown");
    auto results = std::async(std::launch::async, [&] { return pipeline.run({1, 2}); });
    auto status = watcher->status.get_future();
    EXPECT_EQ(status.wait_for(20s), std::future_status::ready);
    go_on.set_value();
    EXPECT_EQ(status.get(), "work-W0 0 half way");
    EXPECT_EQ(results.get().size(), 2u);
  }
  EXPECT_EQ(watcher->done, 2u);
  EXPECT_EQ(watcher->failed, 1u);
}

}  // namespace
}  // namespace espalier::pipeline
