#include "espalier/supervisor/observe/journal_file.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"
#include "libsupervisor/observe/gate.hpp"
#include "libsupervisor/observe/sim_disk.hpp"
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <atomic>
#include <cerrno>
#include <functional>
#include <stdexcept>
#include <thread>
#include <utility>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;

/// A tree whose only child fails again and again, with a journal on a disk of ours.
class TreeOnASlowDisk : public RuntimeFixture {
 protected:
  TreeOnASlowDisk() {
    factories_.add_blocking("crash", [this](ChildContext&) {
      ++runs_;
      throw std::runtime_error{"again"};
    });
  }

  static SupervisorSpec crashing() {
    auto child = blocking("crash", "crash");
    child.policy.backoff = {.initial = 1ms, .max = 1ms, .jitter = Jitter::none};
    child.policy.restart_limit.reset();
    SupervisorSpec spec{.children = {child}};
    spec.restart_limit.reset();
    return spec;
  }
  expected<SupervisorHandle, Error> start_on_disk(std::function<int()> fault) {
    disk_->fault = std::move(fault);
    JournalSpec spec;
    spec.folder = "journal";
    journal_ = *JournalFile::start(
        spec, [](Severity, const std::string&) {}, disk_);
    auto with = options();
    with.events.push_back(journal_);
    return Supervisor::start(crashing(), factories_, with);
  }
  int restarts_within(std::chrono::milliseconds span) const {
    const int before = runs_;
    std::this_thread::sleep_for(span);
    return runs_ - before;
  }

  std::atomic<int> runs_ = 0;
  Gate gate_;
  std::shared_ptr<SimDisk> disk_ = std::make_shared<SimDisk>(1);
  std::shared_ptr<JournalFile> journal_;
};

TEST_F(TreeOnASlowDisk, RestartsGoOnAsFastWhileTheDiskTakesNothingAndSoDoesTheStop) {
  auto tree = start_on_disk([this] {
    gate_.pass();
    return 0;
  });
  ASSERT_TRUE(tree) << tree.error().message;
  const int free = restarts_within(400ms);
  gate_.close();
  gate_.wait_until_somebody_waits();
  const int stuck = restarts_within(400ms);
  EXPECT_GT(stuck, 20);
  EXPECT_GT(stuck, free / 3) << "on this machine " << free << " with a disk that works";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(tree->shutdown(meta_));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s) << "the disk is still stuck";
  gate_.open();
  EXPECT_TRUE(journal_->flush());
  auto reader = JournalReader::open("journal", {}, disk_);
  ASSERT_TRUE(reader);
  std::uint64_t events = 0;
  while (const auto item = reader->next()) {
    ASSERT_EQ(item->kind, JournalItem::Kind::event) << item->text;
    ++events;
  }
  EXPECT_EQ(events, sink_->events().size()) << "they had waited";
}

TEST_F(TreeOnASlowDisk, ADiskThatIsReadOnlyStopsNothing) {
  auto tree = start_on_disk([] { return EROFS; });
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_GT(restarts_within(400ms), 20);
  EXPECT_TRUE(tree->shutdown(meta_));
  EXPECT_FALSE(journal_->flush());
}

}  // namespace
}  // namespace espalier::supervisor::testing
