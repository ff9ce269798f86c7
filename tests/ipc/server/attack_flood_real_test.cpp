// Attacks by how often: replays, floods, clients that vanish.
#include "ipc/server/server_fixture.hpp"

#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace espalier::ipc::testing {
namespace {

using ::testing::HasSubstr;

std::string restart_of(const std::string& child, const std::string& extra = "") {
  return R"({"path":")" + child + R"(","requested_by":"me","reason":"to see")" + extra + "}";
}

class AttackByFlood : public ServerFixture {};

// N12
TEST_F(AttackByFlood, AReplayedCommandRunsOnce) {
  auto spec = generous(path());
  spec.security.replay_window = 300ms;
  serve(spec);
  const auto line =
      request("same", "command.restart_child", restart_of("/a", R"(,"command_id":"c1")"));
  WireClient client{path()};
  EXPECT_EQ(code_of(client.ask(line)), "ok");
  EXPECT_EQ(generation_of("/a"), 2u);
  EXPECT_EQ(code_of(client.ask(line)), "replayed");
  std::this_thread::sleep_for(400ms);
  const auto again = parsed(client.ask(line));
  EXPECT_EQ(again["result"]["repeated"], true) << again.dump();
  EXPECT_EQ(again["result"]["outcome"]["generation"], 2);
  WireClient other{path()};
  const auto retry = parsed(other.ask(
      request("new", "command.restart_child", restart_of("/a", R"(,"command_id":"c1")"))));
  EXPECT_EQ(retry["result"]["repeated"], true) << retry.dump();
  const auto forged =
      other.ask(request("n2", "command.restart_child", restart_of("/b", R"(,"command_id":"c1")")));
  EXPECT_EQ(code_of(forged), "replay_mismatch");
  EXPECT_EQ(generation_of("/a"), 2u);
  EXPECT_EQ(generation_of("/b"), 1u);
}

TEST_F(AttackByFlood, ACommandForAnEarlierAttemptIsRefused) {
  serve();
  WireClient client{path()};
  EXPECT_EQ(code_of(client.ask(request("1", "command.restart_child", restart_of("/a")))), "ok");
  const auto stale = client.ask(
      request("2", "command.restart_child", restart_of("/a", R"(,"expected_generation":1)")));
  EXPECT_THAT(stale, HasSubstr("stale_generation"));
  EXPECT_EQ(generation_of("/a"), 2u);
}

// N13: as fast as one can, against 100 a second and 20 at once.
TEST_F(AttackByFlood, AFloodIsHeldToItsRate) {
  ESPALIER_NEEDS_ROOT();
  auto spec = generous(path());
  spec.security.read.uids = {nobody};
  spec.security.requests_per_second = 100;
  spec.security.request_burst = 20;
  serve(spec);
  const auto in_peace = round_trips_in_peace(path(), 1000, 20);
  const auto count_file = folder_ / "count";
  write_file(count_file, "");
  ASSERT_EQ(::chmod(count_file.c_str(), 0666), 0);
  Helper attacker{{nobody, nobody, {}}, [&] {
                    WireClient client{path()};
                    int served = 0;
                    int refused = 0;
                    int sent = 0;
                    bool told_when = true;
                    const auto until = WireClient::Clock::now() + 2s;
                    while (WireClient::Clock::now() < until) {
                      std::string batch;
                      for (int i = 0; i < 200; ++i)
                        batch += request(std::to_string(sent++), "ping") + "\n";
                      client.send(batch);
                      for (int i = 0; i < 200; ++i) {
                        const auto line = client.line();
                        if (!line) return 1;
                        const bool ok = line->find("\"ok\":true") != std::string::npos;
                        ok ? ++served : ++refused;
                        told_when = told_when &&
                                    (ok || (line->find("rate_limited") != std::string::npos &&
                                            line->find("retry_after_ms") != std::string::npos));
                      }
                    }
                    write_file(count_file, std::to_string(served) + " " + std::to_string(refused));
                    return told_when ? 0 : 2;
                  }};
  const auto attacked = round_trips(path(), 1000, 20);
  EXPECT_EQ(attacker.wait(), 0);
  expect_served("flood", in_peace, attacked);
  std::istringstream counts{content_of(count_file)};
  int served = 0;
  int refused = 0;
  counts >> served >> refused;
  EXPECT_LE(served, 20 + 100 * 2 + 100);
  EXPECT_GE(served, 20);
  EXPECT_GT(refused, 1000);
  std::printf("flood: %d served, %d refused in 2 s\n", served, refused);
}

// N15: ten thousand clients that ask for much and are gone before it comes.
TEST_F(AttackByFlood, ClientsThatVanish) {
  ASSERT_NE(std::signal(SIGPIPE, SIG_DFL), SIG_ERR);
  serve();
  const auto attack = [&](int count) {
    std::string text;
    for (int i = 0; i < 20; ++i)
      text += request(std::to_string(i), i % 2 == 0 ? "state" : "state.subscribe") + "\n";
    for (int i = 0; i < count; ++i) {
      WireClient client{path()};
      ASSERT_TRUE(client.connected());
      client.send(text);
    }
    ASSERT_EQ(code_of(WireClient{path()}.ask(request("1", "hello"))), "ok");
  };
  attack(200);  // What is allocated once is there.
  const auto fds = fds_of_this_process();
  const auto rss = rss_of_this_process();
  attack(10'000);
  EXPECT_TRUE(eventually([&] { return fds_of_this_process() <= fds; }));
  const auto grown = rss_of_this_process() - std::min(rss, rss_of_this_process());
  if (!espalier::testing::sanitized) {
    EXPECT_LT(grown, 4UL << 20U);
  }
  EXPECT_EQ(code_of(WireClient{path()}.ask(request("1", "hello"))), "ok");
  std::printf("10,000 vanished: memory grew by %zu KiB\n", grown / 1024);
}

}  // namespace
}  // namespace espalier::ipc::testing
