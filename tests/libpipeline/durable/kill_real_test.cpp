#include "libpipeline/durable/store_fixture.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr int rounds = 30;
constexpr int items_in_all = 3000;

/// One line to a file that several lives of a process add to; whole, or not at all.
void note(int fd, const std::string& text) {
  const auto line = text + "\n";
  if (::write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
}

/// One life: resumes, then feeds what its input still has, as a program would.
class Life {
 public:
  explicit Life(const std::string& folder)
      : done_(::open((folder + "/done").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)),
        results_(::open((folder + "/results").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)),
        database_(folder + "/work.db") {}

  [[nodiscard]] int run() {
    const auto plan =
        text_plan({"one", "two", "three"}, [this](const std::string& stage, std::string& text) {
          note(done_, stage + " " + text.substr(0, text.find('|')));
          text += "|" + stage;
          std::this_thread::sleep_for(20us);
        });
    auto store = CheckpointStore::open({database_, text_codec(), {}}, plan);
    if (!store) return 2;
    Runner runner(plan, {});
    runner.keep_safe_with(std::make_shared<AfterWriting>(*store));
    if (!runner.start()) return 2;
    std::thread feeder([&] { feed(runner, **store); });
    take(runner, **store);
    feeder.join();
    return (*store)->flush() && runner.stop() ? 0 : 2;
  }

 private:
  /// An item has ended when its result is written, not before.
  struct AfterWriting : ProgressSink {
    explicit AfterWriting(std::shared_ptr<CheckpointStore> to) : store(std::move(to)) {}
    void accepted(NodeId node, const std::vector<Item>& items, ItemSeq first) override {
      store->accepted(node, items, first);
    }
    void moved(NodeId node, const Item& item) override { store->moved(node, item); }
    void ended(const Item&, Outcome) override {}
    std::shared_ptr<CheckpointStore> store;
  };

  static void feed(Runner& runner, CheckpointStore& store) {
    for (auto& item : store.resume()) {
      std::vector<Item> one;
      one.push_back(text_item(item.value.as<std::string>(), item.key));
      runner.feed(*runner.find(item.stage), std::move(one));
    }
    std::vector<Item> batch;
    for (int i = 0; i < items_in_all; ++i) {
      const auto key = "k" + std::to_string(i);
      if (store.find(key) == CheckpointStore::Known::no) batch.push_back(text_item(key, key));
      if (batch.size() < 20 && i + 1 < items_in_all) continue;
      runner.feed(0, std::exchange(batch, {}));
    }
    runner.close_input();
  }

  void take(Runner& runner, CheckpointStore& store) const {
    while (auto chunk = runner.take()) {
      for (const auto& item : chunk->items) {
        note(results_, item.value.as<std::string>());
        store.ended(item, Outcome::succeeded);
      }
      runner.recycle(std::move(chunk));
    }
  }

  int done_;
  int results_;
  std::string database_;
};

std::map<std::string, int> lines_of(const std::string& text) {
  std::map<std::string, int> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    ++lines[line];
  return lines;
}

TEST_F(StoreTest, KilledAtAnyMomentNothingIsLostAndWhatIsDoneTwiceHasTheSameKey) {
  std::mt19937 random(20261121);
  std::uniform_int_distribution<int> moment(1, 150);
  int kills = 0;
  bool finished = false;
  for (int life = 0; life < 10 * rounds && !finished; ++life) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(Life(folder_).run());
    if (kills < rounds) {
      std::this_thread::sleep_for(std::chrono::milliseconds(moment(random)));
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
      ++kills;
    } else {
      ASSERT_EQ(WEXITSTATUS(status), 0) << "a life could not go on from the file it found";
      finished = kills >= rounds;
    }
  }
  ASSERT_TRUE(finished);
  const auto results = lines_of(text_of("results"));
  EXPECT_EQ(results.size(), static_cast<std::size_t>(items_in_all));
  int twice = 0;
  for (int i = 0; i < items_in_all; ++i) {
    const auto found = results.find("k" + std::to_string(i) + "|one|two|three");
    ASSERT_NE(found, results.end()) << "item " << i << " is lost, or skipped a stage";
    twice += found->second - 1;
  }
  int repeated = 0;
  const auto done = lines_of(text_of("done"));
  EXPECT_EQ(done.size(), static_cast<std::size_t>(3 * items_in_all)) << "work without a known key";
  for (const auto& [line, times] : done)
    repeated += times - 1;
  // Only what was under way at a kill may be repeated: what the stages and the store hold.
  EXPECT_LT(repeated, kills * 150);
  RecordProperty("kills", kills);
  RecordProperty("results_twice", twice);
  RecordProperty("steps_repeated", repeated);
  std::printf("kills %d, results written twice %d, steps repeated %d of %d\n", kills, twice,
              repeated, 3 * items_in_all);
}

}  // namespace
}  // namespace espalier::pipeline
