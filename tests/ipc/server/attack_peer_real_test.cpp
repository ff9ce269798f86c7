// Attacks by who one is: other users, other roles, too many connections, descriptors sent along.
#include "ipc/server/server_fixture.hpp"

#include <sys/resource.h>

#include <array>

namespace espalier::ipc::testing {
namespace {

using ::testing::HasSubstr;

constexpr gid_t readers = 54321;
const Helper::As stranger{nobody, nobody, {}};
const Helper::As reader{nobody, nobody, {readers}};

const char* const restart = R"({"path":"/a","requested_by":"somebody","reason":"to see"})";

class AttackByPeer : public ServerFixture {
 protected:
  [[nodiscard]] Json audit_records() {
    WireClient client{path()};
    return parsed(
        client.ask(request("audit", "audit.query", R"({"limit":1000})")))["result"]["records"];
  }
};

// N5: the mode lets everybody in, the kernel's word on who it is does not.
TEST_F(AttackByPeer, AWrongUserIsSentAwayUnread) {
  ESPALIER_NEEDS_ROOT();
  serve();
  Helper attacker{stranger, [&] {
                    WireClient client{path()};
                    if (!client.connected()) return 1;
                    client.send(request("1", "command.restart_child", restart) + "\n");
                    const auto line = client.line();
                    if (!line || line->find("\"forbidden\"") == std::string::npos) return 2;
                    if (line->find("\"bye\"") == std::string::npos) return 3;
                    return client.line() || !client.closes() ? 4 : 0;
                  }};
  EXPECT_EQ(attacker.wait(), 0);
  EXPECT_EQ(generation_of("/a"), 1u);
  const auto records = audit_records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0]["uid"], nobody);
  EXPECT_EQ(records[0]["method"], "");
  EXPECT_EQ(records[0]["decision"], "refused");
}

TEST_F(AttackByPeer, WithTheUsualModeAWrongUserDoesNotEvenConnect) {
  ESPALIER_NEEDS_ROOT();
  auto spec = generous(path());
  spec.permissions = 0600;
  serve(spec);
  Helper attacker{stranger, [&] { return WireClient{path()}.connected() ? 1 : 0; }};
  EXPECT_EQ(attacker.wait(), 0);
}

// N6: the right group, by a supplementary group only, and what it may not do.
TEST_F(AttackByPeer, AReaderMayLookAndNotTouch) {
  ESPALIER_NEEDS_ROOT();
  auto spec = generous(path());
  spec.security.read.gids = {readers};
  serve(spec);
  Helper attacker{reader, [&] {
                    WireClient client{path()};
                    if (code_of(client.ask(request("1", "state"))) != "ok") return 1;
                    const auto write = client.ask(request("2", "command.restart_child", restart));
                    if (code_of(write) != "forbidden") return 2;
                    // The method decides, not what else a request claims.
                    const auto lie = client.ask(
                        request("3", "command.shutdown_tree",
                                R"({"requested_by":"root","reason":"uid=0","confirmed":true})"));
                    if (code_of(lie) != "forbidden") return 3;
                    if (code_of(client.ask(request("4", "audit.query"))) != "forbidden") return 4;
                    return code_of(client.ask(request("5", "state"))) == "ok" ? 0 : 5;
                  }};
  EXPECT_EQ(attacker.wait(), 0);
  EXPECT_EQ(generation_of("/a"), 1u);
  EXPECT_TRUE(target_->handle->is_alive());
  const auto text = audit_records().dump();
  EXPECT_THAT(text, HasSubstr("command.restart_child"));
  EXPECT_THAT(text, HasSubstr("command.shutdown_tree"));
  EXPECT_THAT(text, HasSubstr("authorisation"));
}

TEST_F(AttackByPeer, ItsCredentialsAreThoseOfTheConnection) {
  ESPALIER_NEEDS_ROOT();
  auto spec = generous(path());
  spec.security.read.uids = {nobody};
  serve(spec);
  Helper attacker{stranger, [&] {
                    WireClient client{path()};
                    const auto answer =
                        client.ask(request("1", "command.restart_child",
                                           R"({"path":"/a","requested_by":"root","reason":"x"})"));
                    return code_of(answer) == "forbidden" ? 0 : 1;
                  }};
  const auto attacker_pid = attacker.pid();
  EXPECT_EQ(attacker.wait(), 0);
  const auto records = audit_records();
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records.back()["uid"], nobody);
  EXPECT_EQ(records.back()["pid"], attacker_pid);
}

// N9: 5,000 connections that say nothing. Those over the cap hear why, and the owner is served.
TEST_F(AttackByPeer, FiveThousandSilentConnections) {
  ESPALIER_NEEDS_ROOT();
  auto spec = generous(path());
  spec.security.read.uids = {nobody};
  spec.security.max_connections_per_uid = 64;
  spec.security.max_connections = 256;
  serve(spec);
  const auto in_peace = round_trips_in_peace(path(), 1000);
  const auto before = fds_of_this_process();
  const auto done = folder_ / "go-on";
  Helper attacker{stranger, [&] {
                    std::vector<WireClient> silent;
                    int refused = 0;
                    for (int i = 0; i < 5000; ++i) {
                      WireClient client{path()};
                      if (!client.connected()) return 1;
                      if (i < 64) {
                        silent.push_back(std::move(client));
                        continue;
                      }
                      const auto line = client.line();
                      if (line && code_of(*line) == "too_many_connections") ++refused;
                    }
                    for (int i = 0; i < 400 && ::access(done.c_str(), F_OK) != 0; ++i)
                      std::this_thread::sleep_for(25ms);
                    return refused == 5000 - 64 ? 0 : 2;
                  }};
  const auto attacked = round_trips(path(), 2000);
  EXPECT_LE(fds_of_this_process(), before + 64 + 2);
  write_file(done, "");
  EXPECT_EQ(attacker.wait(), 0);
  expect_served("5,000 silent connections", in_peace, attacked);
  EXPECT_TRUE(eventually([&] { return fds_of_this_process() <= before; }));
}

// With every place for others taken, those kept for the owner are still there.
TEST_F(AttackByPeer, PlacesAreKeptForTheOwner) {
  ESPALIER_NEEDS_ROOT();
  auto spec = generous(path());
  spec.security.read.uids = {nobody};
  spec.security.max_connections = 32;
  serve(spec);
  Helper attacker{stranger, [&] {
                    std::vector<WireClient> all;
                    for (int i = 0; i < 200; ++i)
                      all.emplace_back(path());
                    return all.back().closes() ? (::pause(), 0) : 1;
                  }};
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(code_of(WireClient{path()}.ask(request("1", "hello"))), "ok");
}

// N10, in a process of its own: it may open 64 files, and 200 connections come.
TEST_F(AttackByPeer, NoDescriptorsLeft) {
  const auto ready = folder_ / "ready";
  Helper server{[&] {
    const LiveTarget target{generous(path())};
    if (!target.server) return 1;
    const rlimit few{64, 64};
    ::setrlimit(RLIMIT_NOFILE, &few);
    write_file(ready, "");
    ::pause();
    return 0;
  }};
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(ready); }));
  EXPECT_EQ(code_of(WireClient{path()}.ask(request("0", "hello"))), "ok");
  std::vector<WireClient> crowd;
  for (int i = 0; i < 200; ++i)
    crowd.emplace_back(path());
  std::this_thread::sleep_for(500ms);
  const auto before = read_resources(server.pid());
  std::this_thread::sleep_for(2s);
  const auto after = read_resources(server.pid());
  ASSERT_TRUE(before && after);
  EXPECT_LT(after->cpu_ms - before->cpu_ms, 100) << "more than 5 % of a processor";
  int told = 0;
  for (auto& client : crowd) {
    const auto line = client.line(1ms);
    if (line && code_of(*line) == "too_many_connections") ++told;
  }
  EXPECT_GT(told, 100);
  EXPECT_EQ(code_of(crowd.front().ask(request("1", "hello"))), "ok");
  crowd.clear();
  EXPECT_TRUE(
      eventually([&] { return code_of(WireClient{path()}.ask(request("2", "hello"))) == "ok"; }));
  std::printf("64 descriptors, 200 connections: %d refused, %.0f ms of processor in 2 s\n", told,
              after->cpu_ms - before->cpu_ms);
}

// N14
TEST_F(AttackByPeer, DescriptorsSentAlongAreNeverReceived) {
  serve();
  WireClient client{path()};
  EXPECT_EQ(code_of(client.ask(request("first", "hello"))), "ok");
  const sv::UniqueFd one{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const auto before = fds_of_this_process();
  constexpr std::size_t most = 253;
  std::array<int, most> fds{};
  fds.fill(one.get());
  for (int i = 0; i < 50; ++i) {
    auto text = request(std::to_string(i), "ping") + "\n";
    iovec bytes{text.data(), text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fds);
    std::copy_n(reinterpret_cast<const char*>(fds.data()), sizeof fds,
                reinterpret_cast<char*>(CMSG_DATA(header)));
    ASSERT_GT(::sendmsg(client.fd(), &message, MSG_NOSIGNAL), 0);
    const auto line = client.line();
    ASSERT_TRUE(line);
    ASSERT_EQ(code_of(*line), "ok");
    ASSERT_LE(fds_of_this_process(), before);
  }
}

}  // namespace
}  // namespace espalier::ipc::testing
