#include "espalier/ipc/registration/registration_engine.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using supervisor::Duration;
using supervisor::TimePoint;
using Effects = RegistrationEngine::Effects;
using State = RegistrationEngine::State;

const supervisor::RegistrationSpec spec = {
    .path = "/run/relay.sock", .lease = 30s, .initial_backoff = 200ms, .max_backoff = 30s};
const RegisterParams self = {.target_id = "shop", .lease_seconds = 30};

/// A relay that does whatever comes to its mind, and what must hold all the while.
class Walk {
 public:
  explicit Walk(std::uint64_t seed) : random_(seed), engine_(spec, self, seed) {}

  void run(Duration length) {
    const auto end = now_ + length;
    apply(engine_.start(now_));
    while (now_ < end) {
      const auto deadline = engine_.next_deadline();
      ASSERT_TRUE(deadline) << "it would never try again";
      ASSERT_LE(*deadline - now_, 300s);
      ASSERT_LT(++steps_in_place_, 500) << "busy loop";
      if (open_ && chance(4)) {
        misbehave();
      } else {
        move_to(std::max(now_, *deadline));
        apply(engine_.tick(now_));
      }
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  [[nodiscard]] int attempts() const { return attempts_; }
  [[nodiscard]] int registrations() const { return registrations_; }

 private:
  bool chance(unsigned one_in) { return random_() % one_in == 0; }
  void move_to(TimePoint then) {
    if (then > now_) steps_in_place_ = 0;
    now_ = then;
  }
  void apply(Effects effects) {
    if (effects.disconnect) open_ = false;
    if (effects.connect) {
      ASSERT_FALSE(open_) << "two connections";
      ++attempts_;
      if (chance(3)) return;  // Hangs: neither connected nor lost.
      open_ = !chance(3);
      apply(open_ ? engine_.connected(now_) : engine_.lost("no", now_));
      return;
    }
    if (effects.send.empty()) return;
    ASSERT_TRUE(open_) << "writes to nobody";
    const auto request = nlohmann::json::parse(effects.send);
    if (!chance(5)) answer(request["request_id"]);
  }
  void answer(const std::string& id) {
    move_to(now_ + std::chrono::milliseconds{random_() % 20});
    std::string text = R"({"request_id":")" + id + "\",";
    switch (random_() % 12) {
      case 0:
        text += R"("ok":false,"error":{"message":"no","retryable":false}})";
        break;
      case 1:
        text += R"("ok":false,"error":{"message":"later","retryable":true}})";
        break;
      case 2:
        text += R"("ok":"maybe"})";
        break;
      default:
        text += R"("ok":true,"result":{"registration_id":"r","heartbeat_seconds":)" +
                std::to_string(random_() % 100) + "}}";
    }
    apply(engine_.line(text, now_));
    if (engine_.state() == State::registered) ++registrations_;
  }
  void misbehave() {
    switch (random_() % 4) {
      case 0:
        apply(engine_.lost("cut", now_));
        break;
      case 1:
        apply(engine_.line("garbage", now_));
        break;
      case 2:
        apply(engine_.line(R"({"type":"news"})", now_));
        break;
      default:
        apply(engine_.tick(now_));
        break;
    }
  }

  std::minstd_rand random_;
  RegistrationEngine engine_;
  TimePoint now_ = TimePoint(1000s);
  bool open_ = false;
  int attempts_ = 0;
  int registrations_ = 0;
  int steps_in_place_ = 0;
};

TEST(RegistrationWalk, never_two_connections_always_again_and_never_in_haste) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Walk walk(seed);
    walk.run(4h);
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "seed " << seed;
    EXPECT_GE(walk.attempts(), 4 * 10) << seed;
    EXPECT_LE(walk.attempts(), 4 * 600) << seed;
    EXPECT_GT(walk.registrations(), 0) << seed;
  }
}

}  // namespace
}  // namespace espalier::ipc
