#include "espalier/ipc/registration/registrar.hpp"
#include "ipc/support/test_relay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Mood = testing::TestRelay::Mood;
using State = RegistrationEngine::State;
using Clock = std::chrono::steady_clock;

class RegistrarTest : public ::testing::Test {
 protected:
  void start() {
    registrar_ = std::make_unique<Registrar>(
        supervisor::RegistrationSpec{
            .path = path_, .lease = 1500ms, .initial_backoff = 10ms, .max_backoff = 40ms},
        RegisterParams{.target_id = "shop", .display_name = "Shop", .lease_seconds = 1, .pid = 7},
        [this](supervisor::Severity severity, const std::string& note) {
          const std::lock_guard lock(mutex_);
          notes_.push_back(std::string(to_string(severity)) + " " + note);
        });
  }
  void serve(Mood mood = Mood::kind) {
    relay_ = std::make_unique<testing::TestRelay>(path_);
    relay_->set(mood);
  }
  [[nodiscard]] std::vector<std::string> notes() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  [[nodiscard]] bool reaches(State state) const {
    const auto end = Clock::now() + 10s;
    while (registrar_->state() != state) {
      if (Clock::now() > end) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }
  [[nodiscard]] bool is_told(const std::string& words) const {
    const auto end = Clock::now() + 10s;
    while (Clock::now() < end) {
      for (const auto& note : notes()) {
        if (note.find(words) != std::string::npos) return true;
      }
      std::this_thread::sleep_for(2ms);
    }
    return false;
  }

  testing::SocketFolder folder_;
  std::string path_ = folder_.path("relay.sock");
  std::unique_ptr<testing::TestRelay> relay_;
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
  std::unique_ptr<Registrar> registrar_;
};

TEST_F(RegistrarTest, registers_keeps_its_lease_and_says_goodbye) {
  serve();
  start();
  ASSERT_TRUE(relay_->wait_for("heartbeat", 4));  // 500 ms each: the lease ran out.
  EXPECT_THAT(relay_->targets(), ElementsAre("shop"));
  EXPECT_EQ(relay_->count("register"), 1U);
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("info registered with the relay")));
  const auto begin = Clock::now();
  registrar_.reset();
  EXPECT_LT(Clock::now() - begin, 1s);
  EXPECT_TRUE(relay_->wait_for("unregister")) << ::testing::PrintToString(notes());
}

TEST_F(RegistrarTest, waits_for_a_relay_that_comes_later_and_comes_back_after_its_restart) {
  start();
  ASSERT_TRUE(is_told("there is no such socket"));
  serve();
  ASSERT_TRUE(reaches(State::registered));
  relay_.reset();
  ASSERT_TRUE(is_told("closed the connection"));
  ASSERT_TRUE(is_told("nobody answers there"));
  serve();
  ASSERT_TRUE(relay_->wait_for("register"));
  ASSERT_TRUE(reaches(State::registered));
}

TEST_F(RegistrarTest, registers_anew_when_the_relay_has_forgotten_it) {
  serve();
  start();
  ASSERT_TRUE(relay_->wait_for("heartbeat", 1));
  relay_->forget_all();
  ASSERT_TRUE(relay_->wait_for("register", 2));
  ASSERT_TRUE(reaches(State::registered));
}

TEST_F(RegistrarTest, a_hanging_relay_is_given_up_and_delays_no_stop) {
  serve();
  start();
  ASSERT_TRUE(reaches(State::registered));
  relay_->set(Mood::hang);
  ASSERT_TRUE(is_told("did not answer a heartbeat"));
  relay_->set(Mood::kind);
  ASSERT_TRUE(relay_->wait_for("register", 2));
  relay_->set(Mood::hang);
  const auto begin = Clock::now();
  registrar_.reset();
  EXPECT_LT(Clock::now() - begin, 2s);
}

TEST_F(RegistrarTest, a_relay_that_refuses_for_good_is_left_alone_for_long) {
  serve(Mood::banish);
  start();
  ASSERT_TRUE(is_told("never"));
  ASSERT_TRUE(reaches(State::refused));
  const auto tries = relay_->connections();
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(relay_->connections(), tries);  // The next one is due after 400 ms.
  relay_->set(Mood::kind);
  ASSERT_TRUE(reaches(State::registered));
}

TEST_F(RegistrarTest, outlives_a_relay_in_every_mood) {
  serve(Mood::lie);
  start();
  ASSERT_TRUE(is_told("its answer to `register` is none"));
  relay_->set(Mood::flood);
  ASSERT_TRUE(is_told("floods us"));
  relay_->set(Mood::gush);
  ASSERT_TRUE(is_told("64 KiB"));
  relay_->set(Mood::close);
  ASSERT_TRUE(is_told("closed the connection"));
  relay_->set(Mood::refuse);
  ASSERT_TRUE(is_told("not now"));
  relay_->set(Mood::kind);
  ASSERT_TRUE(reaches(State::registered));
}

TEST_F(RegistrarTest, no_relay_at_all_costs_few_attempts_and_one_note) {
  start();
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(notes().size(), 1U);
  EXPECT_THAT(notes(), Contains(HasSubstr("warning not registered")));
  const auto begin = Clock::now();
  registrar_.reset();
  EXPECT_LT(Clock::now() - begin, 1s);
}

}  // namespace
}  // namespace espalier::ipc
