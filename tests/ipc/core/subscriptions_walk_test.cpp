#include "ipc/support/subscription_bench.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

namespace espalier::ipc {
namespace {

using testing_support::SubscriptionBench;
using namespace std::chrono_literals;

// Follows one connection's lines and knows which sequences it has accounted for.
struct Witness {
  std::uint64_t last = 0;  // All up to here were given or told as missing.
  std::string path = {};   // Of its filter.
  bool healthy = true;     // It takes its lines at once.
  std::uint64_t events = 0;
  std::uint64_t gaps = 0;
};

// A scripted life: supervisors publish in slightly wrong order and in
// bursts, some numbers never come, readers come and go, some are slow. What each reader gets is
// compared with all that was published.
class Walk : public SubscriptionBench {
 public:
  explicit Walk(unsigned seed) : random_(seed) { target.kept = 600; }

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i)
      step();
    drain_all();
  }
  std::uint64_t delivered = 0;
  std::uint64_t missing = 0;

 private:
  unsigned pick(unsigned below) {
    return std::uniform_int_distribution<unsigned>{0, below - 1}(random_);
  }

  void step() {
    switch (pick(12)) {
      case 0:
        return come();
      case 1:
        return leave();
      case 2:
        return publish(pick(200));
      case 3:
      case 4:
      case 5:
        return publish(pick(8));
      case 6:
        return release();
      case 7:
        return pass(std::chrono::milliseconds{pick(30)});
      case 8:
        return wake();
      case 9:
        return settle();
      default:
        return read(pick(static_cast<unsigned>(witnesses_.size()) + 1));
    }
  }

  // Some are held back for a while: another supervisor was quicker.
  void publish(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      auto event = target.make(pick(2) == 0 ? "/db" : "/api", supervisor::events::ChildStarting{});
      paths_[event.sequence] = event.path;
      const auto fate = pick(40);
      if (fate == 0) continue;  // Never.
      if (fate < 4) {
        held_.push_back(std::move(event));
      } else {
        target.publish(std::move(event));
      }
      if (held_.size() > 5) release();
    }
  }
  void release() {
    std::ranges::shuffle(held_, random_);
    for (auto& event : held_)
      target.publish(std::move(event));
    held_.clear();
  }

  void come() {
    if (witnesses_.size() >= 8) return;
    const auto id = ++last_id_;
    Witness witness{.path = pick(2) == 0 ? "/" : "/db", .healthy = pick(3) != 0};
    EventsSubscribeParams params{.filter = WireEventFilter{.path = witness.path}};
    if (pick(2) == 0)
      params.from = Cursor{target.epoch, pick(static_cast<unsigned>(target.generation()) + 1)};
    const auto result =
        subscriptions.subscribe_events(reader(id, witness.healthy ? 4096 : 20), params, now);
    ASSERT_TRUE(result);
    witness.last = nlohmann::json::parse(*result).at("cursor").at("sequence").get<std::uint64_t>();
    witnesses_.emplace(id, witness);
    if (!params.from) {
      ASSERT_LE(witness.last, target.generation());
    }
  }
  void leave() {
    if (witnesses_.empty()) return;
    auto gone = witnesses_.begin();
    std::advance(gone, pick(static_cast<unsigned>(witnesses_.size())));
    subscriptions.close(gone->first);
    outboxes.erase(gone->first);
    witnesses_.erase(gone);
  }

  // Healthy readers read always, slow ones when it is their turn.
  void read(unsigned turn) {
    unsigned i = 0;
    for (auto& [id, witness] : witnesses_) {
      if (witness.healthy || i++ == turn) check(id, witness);
    }
  }
  void check(ConnectionId id, Witness& witness) {
    for (const auto& line : lines(id)) {
      if (line.at("type") == "gap") {
        take_gap(line, witness);
      } else {
        take_event(line.at("event"), witness);
      }
    }
  }
  void take_event(const nlohmann::json& event, Witness& witness) {
    const auto sequence = event.at("sequence").get<std::uint64_t>();
    ASSERT_GT(sequence, witness.last) << "twice, or out of order";
    skip(witness, sequence - 1);
    EXPECT_EQ(event.at("path"), paths_.at(sequence));
    witness.last = sequence;
    ++delivered;
  }
  // Whatever was passed over without a word must not have been for this reader.
  void skip(Witness& witness, std::uint64_t to) {
    for (auto s = witness.last + 1; s <= to; ++s) {
      EXPECT_FALSE(witness.path == "/" || paths_.at(s) == witness.path)
          << s << " was lost without a word";
    }
  }
  void take_gap(const nlohmann::json& gap, Witness& witness) {
    const auto from = gap.at("from").get<std::uint64_t>();
    const auto to = gap.at("to").get<std::uint64_t>();
    if (witness.healthy) {
      EXPECT_EQ(gap.at("reason"), "not_kept");
    }
    ASSERT_LE(from, to);
    ASSERT_GT(to, witness.last);
    if (from > witness.last + 1) skip(witness, from - 1);
    witness.last = to;
    ++missing;
  }

  void drain_all() {
    release();
    wake();
    for (int i = 0; i < 300; ++i) {
      pass(5ms);
      settle();
      for (auto& [id, witness] : witnesses_)
        check(id, witness);
    }
    target.publish("/db");  // Every filter takes it.
    paths_[target.generation()] = "/db";
    wake();
    pass(1s);
    for (auto& [id, witness] : witnesses_) {
      check(id, witness);
      EXPECT_EQ(witness.last, target.generation());
    }
  }

  std::mt19937 random_;
  std::map<std::uint64_t, std::string> paths_ = {};
  std::vector<supervisor::Event> held_ = {};
  std::map<ConnectionId, Witness> witnesses_ = {};
  ConnectionId last_id_ = 0;
};

TEST(SubscriptionsWalk, every_event_is_given_once_in_order_or_told_as_missing) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk{seed};
    walk.run(600);
    EXPECT_GT(walk.delivered, 500U);
    EXPECT_GT(walk.missing, 5U);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace espalier::ipc
