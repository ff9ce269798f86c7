#include "libpipeline/run/pipes.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace espalier::pipeline::testing {
namespace {

/// Writes down all events, item by item.
class Notes final : public TrackSink {
 public:
  explicit Notes(bool tasks = true) : tasks_(tasks) {}
  void on_events(const std::vector<TrackEvent>& events) override {
    if (inside_.exchange(true)) overlapped = true;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& event : events)
        for (std::uint32_t i = 0; i < event.count; ++i)
          items_[event.seq + i].push_back(word_of(event));
    }
    if (slow > Duration{}) std::this_thread::sleep_for(slow);
    inside_ = false;
  }
  [[nodiscard]] bool wants_tasks() const override { return tasks_; }
  [[nodiscard]] std::map<ItemSeq, std::vector<std::string>> items() const {
    const std::lock_guard lock(mutex_);
    return items_;
  }

  std::atomic<bool> overlapped = false;
  Duration slow = {};

 private:
  static std::string word_of(const TrackEvent& event) {
    static const char* const moments[] = {"start", "complete", "retry", "fail"};
    static const char* const statuses[] = {"queued",   "in_progress", "completed", "failed",
                                           "retrying", "skipped",     "cancelled"};
    const auto where = event.node == output_node ? "out" : std::to_string(event.node);
    if (event.kind == TrackEvent::Kind::task) return moments[event.moment] + ("@" + where);
    return statuses[static_cast<int>(event.status)] + ("@" + where);
  }

  const bool tasks_;
  mutable std::mutex mutex_;
  std::map<ItemSeq, std::vector<std::string>> items_;
  std::atomic<bool> inside_ = false;
};

Plan two_stages(StageOptions options = {}) {
  return line({stage("a", nothing(), options), stage("b", nothing(), options)});
}

const std::vector<std::string> whole_way = {
    "queued@0",      "in_progress@0", "start@0",    "complete@0",  "completed@0",  "queued@1",
    "in_progress@1", "start@1",       "complete@1", "completed@1", "completed@out"};

std::vector<std::string> without_tasks(std::vector<std::string> words) {
  std::erase_if(words, [](const std::string& word) {
    return word.starts_with("start@") || word.starts_with("complete@");
  });
  return words;
}

TEST(Track, EveryItemIsToldInOrderFromOneThreadAtATime) {
  StageOptions options;
  options.workers = 2;
  Runner runner(two_stages(options), {});
  const auto notes = std::make_shared<Notes>();
  runner.track(notes);
  EXPECT_EQ(run(runner, numbers(3000)).values.size(), 3000U);
  EXPECT_FALSE(notes->overlapped);
  const auto told = notes->items();
  ASSERT_EQ(told.size(), 3000U);
  for (const auto& [seq, words] : told)
    ASSERT_EQ(words, whole_way) << "item " << seq;
}

TEST(Track, MomentsOfTasksAreOnlyGatheredForThoseWhoWantThem) {
  Runner runner(two_stages(), {});
  const auto notes = std::make_shared<Notes>(false);
  runner.track(notes);
  run(runner, numbers(10));
  EXPECT_EQ(notes->items().at(3), without_tasks(whole_way));
}

TEST(Track, TheStartOfASlowItemIsToldWhenItStarts) {
  Gate gate;
  Runner runner(line({stage("a", [&](Item&, RunContext&) { gate.wait(); })}), {});
  const auto notes = std::make_shared<Notes>();
  runner.track(notes);
  runner.start();
  runner.feed(0, items(1));
  EXPECT_TRUE(happens([&] {
    const auto told = notes->items();
    return told.contains(0) && told.at(0).back() == "start@0";
  }));
  gate.open();
  EXPECT_TRUE(runner.take(in(5s)));
}

TEST(Track, AfterADrainEverythingHasBeenToldHoweverSlowTheSinkIs) {
  PipelineOptions options;
  options.keep_results = false;
  Runner runner(line({stage("a", nothing())}, options), {});
  const auto notes = std::make_shared<Notes>(false);
  notes->slow = 20ms;
  runner.track(notes);
  runner.start();
  runner.feed(0, items(5));
  EXPECT_TRUE(runner.drain(in(5s)));
  for (ItemSeq seq = 0; seq < 5; ++seq)
    EXPECT_EQ(notes->items()[seq].back(), "completed@out");
}

TEST(Track, WhatASinkThrowsChangesNothing) {
  class Thrower final : public TrackSink {
   public:
    void on_events(const std::vector<TrackEvent>&) override {
      ++calls;
      throw std::runtime_error("no");
    }
    std::atomic<int> calls = 0;
  };
  Runner runner(two_stages(), {});
  const auto thrower = std::make_shared<Thrower>();
  const auto notes = std::make_shared<Notes>();
  runner.track(thrower);
  runner.track(notes);
  const auto taken = run(runner, numbers(100));
  EXPECT_EQ(taken.values.size(), 100U);
  EXPECT_TRUE(taken.errors.empty());
  EXPECT_GT(thrower->calls, 0);
  EXPECT_EQ(notes->items().size(), 100U) << "other sinks are told";
}

TEST(Track, ASinkMayCallTheRunner) {
  class Caller final : public TrackSink {
   public:
    void on_events(const std::vector<TrackEvent>&) override {
      accepted = runner->counts().accepted;
      idle = runner->wait_idle({}) || idle;
      (void)runner->snapshot();
    }
    Runner* runner = nullptr;
    std::uint64_t accepted = 0;
    bool idle = false;
  };
  Runner runner(two_stages(), {});
  const auto caller = std::make_shared<Caller>();
  caller->runner = &runner;
  runner.track(caller);
  EXPECT_EQ(run(runner, numbers(100)).values.size(), 100U);
  EXPECT_EQ(caller->accepted, 100U);
}

/// What a ProgressSink was told, as words.
class Safe final : public ProgressSink {
 public:
  void accepted(NodeId node, const std::vector<Item>& items, ItemSeq first) override {
    if (broken) throw std::runtime_error("the disk is full");
    if (slow > Duration{}) std::this_thread::sleep_for(slow);
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < items.size(); ++i)
      words_[first + i].push_back("accepted@" + std::to_string(node));
  }
  void moved(NodeId node, const Item& item) override {
    const std::lock_guard lock(mutex_);
    words_[item.seq].push_back("moved@" + std::to_string(node));
  }
  void ended(const Item& item, Outcome outcome) override {
    const std::lock_guard lock(mutex_);
    words_[item.seq].push_back("ended " + std::to_string(static_cast<int>(outcome)));
  }
  [[nodiscard]] std::map<ItemSeq, std::vector<std::string>> words() const {
    const std::lock_guard lock(mutex_);
    return words_;
  }
  std::atomic<bool> broken = false;
  Duration slow = {};

 private:
  mutable std::mutex mutex_;
  std::map<ItemSeq, std::vector<std::string>> words_;
};

TEST(Progress, TheWayOfEachItemIsToldBeforeItGoesOn) {
  StageOptions options;
  options.workers = 2;
  Runner runner(line({stage("a", nothing(), options), stage(
                                                          "b",
                                                          [](Item& item, RunContext&) {
                                                            if (item.seq % 5 == 0)
                                                              throw std::runtime_error("no");
                                                          },
                                                          options)}),
                {});
  const auto safe = std::make_shared<Safe>();
  runner.keep_safe_with(safe);
  run(runner, numbers(500));
  const auto told = safe->words();
  ASSERT_EQ(told.size(), 500U);
  for (const auto& [seq, words] : told)
    ASSERT_THAT(words, ::testing::ElementsAre("accepted@0", "moved@1",
                                              seq % 5 == 0 ? "ended 1" : "ended 0"));
}

TEST(Progress, WhatCannotBeMadeSafeIsNotAccepted) {
  Runner runner(line({stage("a", nothing())}), {});
  const auto safe = std::make_shared<Safe>();
  runner.keep_safe_with(safe);
  safe->broken = true;
  runner.start();
  EXPECT_THROW(runner.feed(0, items(3)), std::runtime_error);
  EXPECT_EQ(runner.counts().accepted, 0U);
  runner.feed_from(0, numbers(10));
  runner.wait_for_sources();
  EXPECT_TRUE(runner.input_error());
  safe->broken = false;
  EXPECT_EQ(runner.feed(0, items(3)).count, 3U);
}

TEST(Progress, WhatFindsNoRoomIsTakenBack) {
  PipelineOptions options;
  options.overflow = Overflow::reject;
  StageOptions small;
  small.workers = 1;
  small.capacity = 2;
  Gate gate;
  Runner runner(line({stage(
                         "a", [&](Item&, RunContext&) { gate.wait(); }, small)},
                     options),
                {});
  const auto safe = std::make_shared<Safe>();
  runner.keep_safe_with(safe);
  runner.start();
  const auto fed = runner.feed(0, items(10));
  EXPECT_EQ(fed.fed, Runner::Fed::rejected);
  ASSERT_LT(fed.count, 10U);
  const auto told = safe->words();
  const auto refused = "ended " + std::to_string(static_cast<int>(Outcome::cancelled));
  for (ItemSeq seq = fed.count; seq < 10; ++seq)
    EXPECT_THAT(told.at(seq), ::testing::ElementsAre("accepted@0", refused)) << seq;
  EXPECT_THAT(told.at(0), ::testing::ElementsAre("accepted@0"));
  gate.open();
}

TEST(Progress, FeedersAtTheSameTimeGetNumbersOfTheirOwn) {
  PipelineOptions options;
  options.keep_results = false;
  Runner runner(line({stage("a", nothing())}, options), {});
  const auto safe = std::make_shared<Safe>();
  safe->slow = 1ms;
  runner.keep_safe_with(safe);
  runner.start();
  std::mutex mutex;
  std::vector<ItemSeq> numbers;
  std::vector<std::thread> feeders;
  for (int i = 0; i < 4; ++i) {
    feeders.emplace_back([&] {
      for (int k = 0; k < 10; ++k) {
        const auto fed = runner.feed(0, items(1));
        const std::lock_guard lock(mutex);
        numbers.push_back(fed.first);
      }
    });
  }
  for (auto& feeder : feeders)
    feeder.join();
  std::sort(numbers.begin(), numbers.end());
  ASSERT_EQ(numbers.size(), 40U);
  for (ItemSeq seq = 0; seq < 40; ++seq) {
    ASSERT_EQ(numbers[seq], seq) << "as the feeders were told";
    ASSERT_EQ(safe->words().at(seq).front(), "accepted@0");
  }
}

}  // namespace
}  // namespace espalier::pipeline::testing
