#include "libpipeline/durable/store_fixture.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace espalier::pipeline {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
using Known = CheckpointStore::Known;

TEST_F(StoreTest, GivesBackWhatHasNotEndedAtTheStageWhereItWas) {
  {
    const auto store = open();
    store->accepted(0, items({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"", "4"}}), 0);
    store->moved(1, at(1, "2x"));
    store->ended(at(0, ""), Outcome::succeeded);
    store->ended(at(2, ""), Outcome::skipped);
  }
  const auto store = open();
  EXPECT_EQ(described(store->resume()), "b@second=2x #4@first=4");
  EXPECT_EQ(store->sizes().ended, 2U);
}

TEST_F(StoreTest, AnItemIsInTheFileWhenAcceptedReturns) {
  const auto store = open();
  store->accepted(0, items({{"a", "1"}}), 0);
  // Another reader sees it at once: it is committed.
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open_v2(path().c_str(), &reader, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  sqlite3_stmt* rows = nullptr;
  sqlite3_prepare_v2(reader, "SELECT count(*) FROM items WHERE key = 'a'", -1, &rows, nullptr);
  EXPECT_EQ(sqlite3_step(rows), SQLITE_ROW);
  EXPECT_EQ(sqlite3_column_int(rows, 0), 1);
  sqlite3_finalize(rows);
  sqlite3_close(reader);
}

TEST_F(StoreTest, KnowsKeysOverARestart) {
  {
    const auto store = open();
    store->accepted(0, items({{"done", "1"}, {"open", "2"}, {"bad", "3"}}), 0);
    store->ended(at(0, ""), Outcome::succeeded);
    auto failed = at(2, "3");
    failed.failure = std::make_unique<Failure>();
    failed.failure->stage = "second";
    store->ended(failed, Outcome::failed);
  }
  const auto store = open();
  EXPECT_EQ(store->find("done"), Known::ended);
  EXPECT_EQ(store->find("open"), Known::open);
  EXPECT_EQ(store->find("bad"), Known::failed);
  EXPECT_EQ(store->find("new"), Known::no);
}

TEST_F(StoreTest, AKeyThatHasEndedIsNotTakenAgain) {
  const auto store = open();
  store->accepted(0, items({{"a", "1"}}), 0);
  store->ended(at(0, ""), Outcome::succeeded);
  ASSERT_TRUE(store->flush());
  try {
    store->accepted(0, items({{"a", "1"}}), 1);
    ADD_FAILURE() << "taken";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"a\" has ended before"));
  }
  store->accepted(0, items({{"b", "2"}}), 1);  // It goes on with others.
  EXPECT_EQ(store->problem(), "");
}

TEST_F(StoreTest, AResumedItemKeepsItsRow) {
  { open()->accepted(0, items({{"a", "1"}, {"", "2"}}), 0); }
  {
    const auto store = open();
    const auto resumed = store->resume();
    ASSERT_EQ(described(resumed), "a@first=1 #2@first=2");
    store->accepted(0, items({{"a", "1"}, {"#2", "2"}}), 0);
    store->moved(1, at(1, "2x"));
    store->ended(at(0, ""), Outcome::succeeded);
  }
  EXPECT_EQ(described(open()->resume()), "#2@second=2x");
}

TEST_F(StoreTest, CancelledItemsAreResumedAndRefusedOnesAreForgotten) {
  {
    const auto store = open();
    store->accepted(0, items({{"a", "1"}, {"b", "2"}}), 0);
    auto cancelled = at(0, "1");
    cancelled.failure = std::make_unique<Failure>();
    cancelled.failure->kind = Failure::Kind::cancelled;
    store->ended(cancelled, Outcome::cancelled);
    store->ended(at(1, "2"), Outcome::cancelled);  // The flow had no room after all.
  }
  const auto store = open();
  EXPECT_EQ(described(store->resume()), "a@first=1");
  EXPECT_EQ(store->find("b"), Known::no);
}

TEST_F(StoreTest, DeadLettersTellWhyAndCanBeReplayed) {
  {
    const auto store = open();
    store->accepted(0, items({{"a", "1"}, {"b", "2"}}), 0);
    for (ItemSeq seq = 0; seq < 2; ++seq) {
      auto failed = at(seq, "");
      failed.failure = std::make_unique<Failure>();
      failed.failure->message = "no route to host";
      failed.failure->type = "exit code 7";
      failed.failure->stage = "second";
      failed.failure->attempts = 3;
      failed.failure->input = Value::of<std::string>("in-" + std::to_string(seq));
      store->ended(failed, Outcome::failed);
    }
  }
  const auto store = open();
  const auto letters = store->dead_letters();
  ASSERT_EQ(described(letters), "a@second=in-0 b@second=in-1");
  EXPECT_EQ(letters[0].error, "no route to host");
  EXPECT_EQ(letters[0].error_type, "exit code 7");
  EXPECT_EQ(letters[0].attempts, 3U);
  EXPECT_EQ(store->replay({"b"}), 1U);
  EXPECT_EQ(described(store->resume()), "b@second=in-1");
  EXPECT_EQ(store->find("b"), Known::open);
  EXPECT_EQ(store->replay({}), 1U) << "all that are left";
  EXPECT_EQ(store->replay({"nobody"}), 0U);
}

TEST_F(StoreTest, ADeadLetterWithoutAValueKeepsTheOneItCameInWith) {
  const auto store = open();
  store->accepted(0, items({{"a", "1"}}), 0);
  Item failed;  // Its command still has the value: it ran out of time.
  failed.failure = std::make_unique<Failure>();
  failed.failure->message = "too late";
  failed.failure->stage = "second";
  store->ended(failed, Outcome::failed);
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(described(store->dead_letters()), "a@first=1");
}

TEST_F(StoreTest, PruneForgetsWhatEndedLongAgoAndDeadLettersOnlyIfTold) {
  const auto store = open();
  store->accepted(0, items({{"a", "1"}, {"b", "2"}, {"c", "3"}}), 0);
  store->ended(at(0, ""), Outcome::succeeded);
  auto failed = at(1, "2");
  failed.failure = std::make_unique<Failure>();
  store->ended(failed, Outcome::failed);
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(store->prune(1h, true), 0U) << "not that long ago";
  EXPECT_EQ(store->prune(0s, false), 1U);
  EXPECT_EQ(store->find("a"), Known::no);
  EXPECT_EQ(store->find("b"), Known::failed);
  EXPECT_EQ(store->prune(0s, true), 1U);
  EXPECT_EQ(store->find("c"), Known::open) << "unfinished items stay";
}

TEST_F(StoreTest, ASourceHearsOfAnEndOnceItIsSafe) {
  std::mutex mutex;
  std::vector<std::string> heard;
  std::shared_ptr<CheckpointStore> store;
  CheckpointOptions options;
  options.on_ended = [&](const std::string& key, Outcome outcome) {
    const bool is_safe = store->find(key) == Known::ended;
    const std::lock_guard lock(mutex);
    heard.push_back(key + (outcome == Outcome::succeeded ? "+" : "-") + (is_safe ? "" : "?"));
  };
  store = open(std::move(options));
  store->accepted(0, items({{"a", "1"}, {"b", "2"}}), 0);
  store->ended(at(1, ""), Outcome::succeeded);
  ASSERT_TRUE(store->flush());
  const std::lock_guard lock(mutex);
  EXPECT_THAT(heard, testing::ElementsAre("b+"));
}

TEST_F(StoreTest, BehindABatchItemsWaitWhereTheyWerePutTogether) {
  auto plan = this->plan();
  plan.nodes[1].kind = NodeKind::batch;
  plan.nodes[1].batch.count = 2;
  plan.nodes.push_back(plan.nodes[0]);
  plan.nodes[2].name = "third";
  plan.nodes[1].next = {2};
  plan.nodes[2].next = {output_node};
  {
    auto store = *CheckpointStore::open({path(), text_codec(), {}}, plan);
    store->accepted(0, items({{"a", "1"}, {"b", "2"}}), 0);
    store->moved(1, at(0, "1x"));
    store->moved(2, at(0, "[1x,2]"));  // The batch, under the number of its first item.
    store->ended(at(0, ""), Outcome::succeeded);
  }
  {
    auto store = *CheckpointStore::open({path(), text_codec(), {}}, plan);
    EXPECT_EQ(described(store->resume()), "a@second=1x b@first=2");
    store->accepted(0, items({{"a", "1x"}, {"b", "2"}}), 0);
    store->finish();
  }
  EXPECT_EQ((*CheckpointStore::open({path(), text_codec(), {}}, plan))->sizes().ended, 2U);
}

// --- Files that are not to be touched.

TEST_F(StoreTest, AFileOfSomethingElseIsLeftAlone) {
  write("work.db",
        "dear diary, today I wrote more than a hundred bytes into this file. "
        "It is no database, whatever its name may suggest to programs.\n");
  const auto before = text_of("work.db");
  EXPECT_THAT(problem_of_opening(), HasSubstr("is no checkpoint file; choose another one"));
  EXPECT_EQ(text_of("work.db"), before);
}

TEST_F(StoreTest, AnotherProgramsDatabaseIsLeftAlone) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  sqlite3_exec(other, "CREATE TABLE bookmarks(url)", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  const auto before = text_of("work.db");
  EXPECT_THAT(problem_of_opening(), HasSubstr("is a database of something else"));
  EXPECT_EQ(text_of("work.db"), before);
}

TEST_F(StoreTest, ADamagedFileIsLeftAlone) {
  {
    const auto store = open();
    std::vector<Item> many;
    for (int i = 0; i < 500; ++i)
      many.push_back(text_item(std::string(200, 'x'), "key-" + std::to_string(i)));
    store->accepted(0, many, 0);
  }
  auto bytes = text_of("work.db");
  ASSERT_GT(bytes.size(), 40'000U);
  for (std::size_t i = 8'192; i < 24'000; ++i)
    bytes[i] = static_cast<char>(i * 7);
  write("work.db", bytes);
  EXPECT_THAT(problem_of_opening(), HasSubstr("is damaged"));
  EXPECT_EQ(text_of("work.db"), bytes);
}

TEST_F(StoreTest, AFileOfANewerReleaseIsLeftAlone) {
  { open(); }
  sqlite3* file = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &file), SQLITE_OK);
  sqlite3_exec(file, "PRAGMA user_version = 9", nullptr, nullptr, nullptr);
  sqlite3_close(file);
  EXPECT_THAT(problem_of_opening(), HasSubstr("newer release (format 9, this one knows 1)"));
}

TEST_F(StoreTest, AStageThatIsGoneIsNamed) {
  { open()->accepted(1, items({{"a", "1"}}), 0); }
  const auto other = text_plan({"first"}, [](const std::string&, std::string&) {});
  const auto store = CheckpointStore::open({path(), text_codec(), {}}, other);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error(), HasSubstr("wait at the stage \"second\", which this pipeline does"));
}

TEST_F(StoreTest, ASecondProcessIsToldWhoHasTheFile) {
  const auto store = open();
  const auto parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    const auto problem = problem_of_opening();
    const auto wanted = "is in use by process " + std::to_string(parent);
    ::_exit(problem.find(wanted) != std::string::npos ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(StoreTest, AFolderThatIsNotThereIsAProblemWithItsName) {
  const auto store = CheckpointStore::open({"/no/such/folder/x.db", text_codec(), {}}, plan());
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error(), HasSubstr("/no/such/folder/x.db: cannot be opened: No such file"));
}

TEST_F(StoreTest, AFileThatCannotGrowEndsTheInputInsteadOfLosingItems) {
  const auto store = open();
  store->accepted(0, items({{"a", "1"}}), 0);
  // A limit of this process stands for the full disk.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 * 1024, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(store->accepted(0, items({{"b", std::string(200'000, 'x')}}), 1),
               std::runtime_error);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(store->problem(), HasSubstr("cannot be written"));
  EXPECT_THROW(store->accepted(0, items({{"c", "1"}}), 2), std::runtime_error)
      << "once it could not write, it takes nothing more";
}

// --- With a pipeline.

/// "3" and "4" become "3+4".
class PairKernel : public Kernel {
 public:
  bool run(std::span<Item> items, RunContext&) override {
    auto& text = items.front().value.as<std::string>();
    items.front().verdict = Verdict::pass;
    for (auto& item : items.subspan(1)) {
      text += "+" + item.value.as<std::string>();
      item.verdict = Verdict::absorbed;
    }
    return false;
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  std::vector<std::string> tasks_{"pair"};
};

TEST_F(StoreTest, ARunThatWasCancelledGoesOnWhereItWas) {
  std::atomic<int> first_runs = 0;
  std::atomic<bool> hold = true;
  const auto work = [&](const std::string& stage, std::string& text) {
    if (stage == "first") ++first_runs;
    while (stage == "second" && hold)
      std::this_thread::sleep_for(1ms);
    text += stage == "first" ? "x" : "y";
  };
  const auto stages = std::vector<std::string>{"first", "second"};
  {
    Runner runner(text_plan(stages, work), {});
    const auto store = open();
    runner.keep_safe_with(store);
    ASSERT_TRUE(runner.start());
    ASSERT_EQ(runner.feed(0, items({{"a", "1"}, {"b", "2"}, {"c", "3"}})).count, 3U);
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (first_runs < 3 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(1ms);
    runner.cancel("stop");
    hold = false;
    while (auto chunk = runner.take())
      runner.recycle(std::move(chunk));
    ASSERT_TRUE(runner.stop());
  }
  ASSERT_EQ(first_runs, 3);
  Runner runner(text_plan(stages, work), {});
  const auto store = open();
  runner.keep_safe_with(store);
  ASSERT_TRUE(runner.start());
  for (auto& item : store->resume())
    runner.feed(*runner.find(item.stage), items({{item.key, item.value.as<std::string>()}}));
  runner.close_input();
  while (auto chunk = runner.take())
    runner.recycle(std::move(chunk));
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(first_runs, 3) << "the first stage was done for all of them";
  EXPECT_EQ(store->sizes().open, 0U);
  EXPECT_EQ(store->sizes().ended, 3U);
}

TEST_F(StoreTest, WithoutResultsItemsEndInTheFileAsTheyDoInThePipeline) {
  auto plan = text_plan({"first", "second"}, [](const std::string&, std::string& text) {
    if (text == "bad") throw std::runtime_error("no");
  });
  plan.options.keep_results = false;
  const auto store = *CheckpointStore::open({path(), text_codec(), {}}, plan);
  Runner runner(std::move(plan), {});
  runner.keep_safe_with(store);
  ASSERT_TRUE(runner.start());
  ASSERT_EQ(runner.feed(0, items({{"a", "1"}, {"b", "bad"}, {"c", "3"}})).count, 3U);
  ASSERT_TRUE(runner.drain({}));
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(store->sizes().open, 0U);
  EXPECT_EQ(store->sizes().ended, 2U);
  EXPECT_EQ(described(store->dead_letters()), "b@first=bad");
}

TEST_F(StoreTest, WithoutResultsTheItemsOfABatchEndWithIt) {
  auto plan = text_plan({"first", "batch", "third"}, [](const std::string&, std::string& text) {
    if (text == "3+4") throw std::runtime_error("no");
  });
  plan.options.keep_results = false;
  plan.nodes[1].kind = NodeKind::batch;
  plan.nodes[1].one_to_one = false;
  plan.nodes[1].batch.count = 2;
  plan.nodes[1].kernel = std::make_shared<PairKernel>();
  const auto store = *CheckpointStore::open({path(), text_codec(), {}}, plan);
  Runner runner(std::move(plan), {});
  runner.keep_safe_with(store);
  ASSERT_TRUE(runner.start());
  const auto given = items({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  for (const auto& item : given)
    ASSERT_EQ(runner.feed(0, items({{item.info->id, item.value.as<std::string>()}})).count, 1U);
  ASSERT_TRUE(runner.drain({}));
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(store->sizes().open, 0U) << "nobody called finish";
  EXPECT_EQ(store->sizes().ended, 2U);
  EXPECT_EQ(described(store->dead_letters()), "c@batch=3 d@batch=4");
  EXPECT_EQ(store->dead_letters().front().error, "no");
}

}  // namespace
}  // namespace espalier::pipeline
