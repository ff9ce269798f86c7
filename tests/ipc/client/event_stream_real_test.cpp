#include "espalier/ipc/client/client.hpp"
#include "ipc/support/fake_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using testing::FakePeer;
using testing::FakeServer;
using ::testing::HasSubstr;
using testing::SocketFolder;
using Item = EventStream::Item;
using Clock = std::chrono::steady_clock;

std::string event(int sequence) {
  return R"({"type":"event","subscription_id":"s1","event":{"sequence":)" +
         std::to_string(sequence) + "}}";
}

/// Answers hello and events.subscribe; gives the params of the latter.
nlohmann::json subscribe(FakePeer& peer, std::uint64_t epoch, std::uint64_t at = 0) {
  peer.greet(epoch);
  const auto id = peer.request();
  auto params = peer.last()["params"];
  peer.answer(id, R"({"subscription_id":"s1","cursor":{"epoch":)" + std::to_string(epoch) +
                      R"(,"sequence":)" + std::to_string(at) + "}}");
  return params;
}

class EventStreamTest : public ::testing::Test {
 protected:
  [[nodiscard]] EventStream::Options options() const {
    return {.client = {.path = path_, .timeout = 5s}, .first_pause = 5ms, .longest_pause = 50ms};
  }
  /// The next items as words: "event 3", "gap other_epoch", "connected", ...
  static std::vector<std::string> read(EventStream& stream, std::size_t count) {
    std::vector<std::string> words;
    while (words.size() < count) {
      const auto item = stream.next(5s);
      if (!item) return words.push_back("error " + item.error().message), words;
      if (!*item) return words.push_back("nothing"), words;
      words.push_back(word(**item));
    }
    return words;
  }
  static std::string word(const Item& item) {
    switch (item.kind) {
      case Item::Kind::event:
        return "event " + item.body["sequence"].dump();
      case Item::Kind::gap:
        return "gap " + item.body["reason"].get<std::string>();
      case Item::Kind::connected:
        return "connected";
      case Item::Kind::lost:
        return "lost";
      case Item::Kind::ended:
        return "ended " + item.message;
    }
    return "";
  }
  using Words = std::vector<std::string>;

  SocketFolder folder_;
  std::string path_ = folder_.path("shop.sock");
};

TEST_F(EventStreamTest, goes_on_after_the_last_event_when_the_connection_breaks) {
  std::mutex mutex;
  std::vector<nlohmann::json> asked;
  const auto keep = [&](nlohmann::json params) {
    const std::lock_guard lock(mutex);
    asked.push_back(std::move(params));
  };
  FakeServer server(path_, {[&](FakePeer& peer) {
                              keep(subscribe(peer, 7, 10));
                              peer.say(event(11));
                              peer.say(event(12));
                            },
                            [&](FakePeer& peer) {
                              keep(subscribe(peer, 7, 12));
                              peer.say(event(13));
                              peer.until_gone();
                            }});
  EventStream stream(options());
  EXPECT_EQ(read(stream, 6),
            (Words{"connected", "event 11", "event 12", "lost", "connected", "event 13"}));
  EXPECT_EQ(stream.cursor().epoch, 7U);
  EXPECT_EQ(stream.cursor().sequence, 13U);
  const std::lock_guard lock(mutex);
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_FALSE(asked[0].contains("from"));
  EXPECT_EQ(asked[1]["from"], nlohmann::json::parse(R"({"epoch":7,"sequence":12})"));
}

TEST_F(EventStreamTest, another_run_of_the_target_is_a_gap_and_is_read_from_its_start) {
  std::mutex mutex;
  nlohmann::json asked;
  FakeServer server(path_, {[&](FakePeer& peer) {
                              subscribe(peer, 7);
                              peer.say(event(1));
                            },
                            [&](FakePeer& peer) {
                              auto params = subscribe(peer, 8);
                              {
                                const std::lock_guard lock(mutex);
                                asked = std::move(params);
                              }
                              peer.say(event(1));
                              peer.until_gone();
                            }});
  EventStream stream(options());
  EXPECT_EQ(read(stream, 6),
            (Words{"connected", "event 1", "lost", "connected", "gap other_epoch", "event 1"}));
  EXPECT_EQ(stream.cursor().epoch, 8U);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(asked["from"], nlohmann::json::parse(R"({"epoch":8,"sequence":0})"));
}

TEST_F(EventStreamTest, a_gap_moves_the_cursor_and_replay_is_asked_for_once) {
  std::mutex mutex;
  std::vector<nlohmann::json> asked;
  const auto script = [&](FakePeer& peer) {
    auto params = subscribe(peer, 7);
    {
      const std::lock_guard lock(mutex);
      asked.push_back(std::move(params));
    }
    peer.say(R"({"type":"gap","subscription_id":"s1","from":1,"to":9,"count":9,)"
             R"("reason":"not_kept"})");
  };
  FakeServer server(path_, {script});
  auto wanted = options();
  wanted.replay = 5;
  wanted.filter.min_severity = supervisor::Severity::warning;
  EventStream stream(wanted);
  EXPECT_EQ(read(stream, 4), (Words{"connected", "gap not_kept", "lost", "connected"}));
  EXPECT_EQ(stream.cursor().sequence, 9U);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(asked[0]["replay"], 5);
  EXPECT_EQ(asked[0]["filter"]["min_severity"], "warning");
  EXPECT_FALSE(asked[1].contains("replay"));
  EXPECT_EQ(asked[1]["from"]["sequence"], 9);
}

TEST_F(EventStreamTest, the_end_of_the_tree_is_told_and_its_next_run_is_found) {
  auto first = std::make_unique<FakeServer>(path_, std::vector<FakeServer::Script>{[](FakePeer& p) {
                                              subscribe(p, 7);
                                              p.say(event(1));
                                              p.say(R"({"type":"end","subscription_id":"s1",)"
                                                    R"("reason":"stopped"})");
                                            }});
  EventStream stream(options());
  EXPECT_EQ(read(stream, 3), (Words{"connected", "event 1", "ended stopped"}));
  first.reset();
  const auto quiet = stream.next(100ms);
  ASSERT_TRUE(quiet);
  EXPECT_FALSE(*quiet) << word(**quiet);
  FakeServer second(path_, {[](FakePeer& peer) {
                      subscribe(peer, 8);
                      peer.until_gone();
                    }});
  EXPECT_EQ(read(stream, 2), (Words{"connected", "gap other_epoch"}));
}

TEST_F(EventStreamTest, tries_ever_more_slowly_and_tells_a_loss_once) {
  FakeServer server(path_, {[](FakePeer&) {}});
  EventStream stream(options());
  EXPECT_EQ(read(stream, 1), (Words{"lost"}));
  const auto end = Clock::now() + 500ms;
  while (Clock::now() < end) {
    const auto item = stream.next(end - Clock::now());
    ASSERT_TRUE(item) << item.error().message;
    EXPECT_FALSE(*item) << word(**item);
  }
  // 5 + 10 + 20 + 40 ms, then one every 50 ms.
  EXPECT_GE(server.connections(), 3);
  EXPECT_LE(server.connections(), 15);
}

TEST_F(EventStreamTest, what_no_second_try_mends_is_an_error) {
  const std::string refusal =
      R"("ok":false,"error":{"code":"invalid_params","stage":"parameters",)"
      R"("message":"params.filter.types: no event is called x","retryable":false}})";
  FakeServer server(path_, {[&](FakePeer& peer) {
                      peer.greet();
                      peer.say(R"({"request_id":")" + peer.request() + "\"," + refusal);
                      peer.until_gone();
                    }});
  EventStream stream(options());
  const auto item = stream.next(5s);
  ASSERT_FALSE(item);
  EXPECT_EQ(item.error().kind, ClientError::Kind::refused);
  EXPECT_THAT(item.error().message, HasSubstr("no event is called x"));
}

TEST_F(EventStreamTest, a_refusal_for_now_is_tried_again_when_it_says) {
  FakeServer server(path_,
                    {[&](FakePeer& peer) {
                       peer.greet();
                       peer.say(R"({"request_id":")" + peer.request() +
                                R"(","ok":false,"error":{"code":"rate_limited","stage":"rate",)"
                                R"("message":"later","retryable":true,"retry_after_ms":200}})");
                       peer.until_gone();
                     },
                     [&](FakePeer& peer) {
                       subscribe(peer, 1);
                       peer.until_gone();
                     }});
  EventStream stream(options());
  const auto begin = Clock::now();
  EXPECT_EQ(read(stream, 2), (Words{"lost", "connected"}));
  EXPECT_GE(Clock::now() - begin, 200ms);
}

}  // namespace
}  // namespace espalier::ipc
