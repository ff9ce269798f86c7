#include "libsupervisor/io/probe_fixture.hpp"

#include <gmock/gmock.h>
#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>

#include <future>
#include <set>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Kind = ProbeSpec::Kind;
using Probes = ProbeFixture;

std::uint16_t closed_port() {
  boost::asio::io_context context;
  return tcp::acceptor{context, any_port()}.local_endpoint().port();
}

TEST_F(Probes, AConnectionIsWell) {
  const Server<tcp> server{any_port()};
  const auto port = server.endpoint().port();
  const auto answer = ask(at(Kind::tcp, port));
  EXPECT_TRUE(answer.ok);
  EXPECT_EQ(answer.message, "connect to 127.0.0.1:" + std::to_string(port) + ": connected");
}

TEST_F(Probes, ARefusedConnectionIsNot) {
  const auto port = closed_port();
  const auto answer = ask(at(Kind::tcp, port));
  EXPECT_FALSE(answer.ok);
  EXPECT_EQ(answer.message,
            "connect to 127.0.0.1:" + std::to_string(port) + ": connection refused");
}

TEST_F(Probes, AHostMayHaveAName) {
  addrinfo* found = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &found) != 0) {
    GTEST_SKIP() << "this machine knows no localhost: it has no /etc/hosts";
  }
  ::freeaddrinfo(found);
  const Server<tcp> server{any_port()};
  auto what = at(Kind::tcp, server.endpoint().port());
  what.host = "localhost";
  EXPECT_TRUE(ask(what).ok);
}

TEST_F(Probes, AUnixSocketWillDo) {
  const TemporaryFolder folder;
  auto what = spec(Kind::tcp);
  what.socket = folder / "s";
  EXPECT_EQ(ask(what).message, "connect to " + what.socket + ": no such file or directory");
  const Server<local> server{local::endpoint{what.socket}};
  EXPECT_TRUE(ask(what).ok);
  what.socket = std::string(200, 'x');
  EXPECT_FALSE(ask(what).ok);
}

TEST_F(Probes, HttpGetsThePathAndReadsTheStatus) {
  const Server<tcp> server{any_port(), "HTTP/1.1 204 No Content\r\n\r\n"};
  auto what = at(Kind::http, server.endpoint().port());
  what.path = "/health?deep=1";
  const auto answer = ask(what);
  EXPECT_TRUE(answer.ok);
  const auto host = "127.0.0.1:" + std::to_string(what.port);
  EXPECT_EQ(answer.message, "GET /health?deep=1 from " + host + ": 204 No Content");
  EXPECT_THAT(server.request(), StartsWith("GET /health?deep=1 HTTP/1.1\r\nHost: " + host));
}

TEST_F(Probes, HttpOverAUnixSocketTellsABadStatus) {
  const TemporaryFolder folder;
  const Server<local> server{local::endpoint{folder / "s"},
                             "HTTP/1.0 503 Service Unavailable\r\n\r\nsorry"};
  auto what = spec(Kind::http);
  what.socket = folder / "s";
  const auto answer = ask(what);
  EXPECT_FALSE(answer.ok);
  EXPECT_THAT(answer.message, HasSubstr(": 503 Service Unavailable"));
}

TEST_F(Probes, HttpIsNotTakenInByOtherProtocolsOrEndlessLines) {
  const Server<tcp> mail{any_port(), "220 mail.example ESMTP\r\n"};
  EXPECT_THAT(ask(at(Kind::http, mail.endpoint().port())).message, HasSubstr("no HTTP answer"));
  const Server<tcp> flood{any_port(), std::string(100'000, 'x')};
  EXPECT_FALSE(ask(at(Kind::http, flood.endpoint().port())).ok);
  const Server<tcp> mute{any_port(), "H"};
  EXPECT_THAT(ask(at(Kind::http, mute.endpoint().port())).message,
              HasSubstr("closed without an answer"));
}

TEST_F(Probes, HttpPathsThatWouldBreakTheRequestAreRefused) {
  auto what = at(Kind::http, closed_port());
  what.path = "/a b\r\nX: y";
  EXPECT_THAT(ask(what).message, HasSubstr("no HTTP path"));
}

TEST_F(Probes, WhoSaysNothingInTimeIsNotWell) {
  const Server<tcp> silent{any_port()};
  auto what = at(Kind::http, silent.endpoint().port());
  what.timeout = 50ms;
  const auto answer = ask(what);
  EXPECT_FALSE(answer.ok);
  EXPECT_THAT(answer.message, HasSubstr(": no answer within 50 ms"));
}

TEST_F(Probes, ACommandIsWellWithZero) {
  const auto answer = ask(shell("echo one; echo path $ESPALIER_PATH"));
  EXPECT_TRUE(answer.ok);
  EXPECT_EQ(answer.message, "command 'sh': exit code 0: path /asked");
}

TEST_F(Probes, ACommandThatFailsTellsItsLastWords) {
  const auto answer = ask(shell("echo no disk >&2; exit 3"));
  EXPECT_FALSE(answer.ok);
  EXPECT_THAT(answer.message, StartsWith("command 'sh': exit code 3"));
  EXPECT_THAT(answer.message, HasSubstr("no disk"));
}

TEST_F(Probes, ACommandThatIsNotThereSaysSo) {
  auto what = spec(Kind::exec);
  what.command = {"/nowhere/at-all"};
  const auto answer = ask(what);
  EXPECT_FALSE(answer.ok);
  EXPECT_THAT(answer.message, HasSubstr("/nowhere/at-all"));
}

TEST_F(Probes, ACommandThatHangsIsKilled) {
  auto what = shell("sleep 1000");
  what.timeout = 100ms;
  EXPECT_THAT(ask(what).message, HasSubstr("no answer within 100 ms"));
  for (int i = 0; i < 1000 && host_.running() > 0; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(host_.running(), 0u);
}

TEST_F(Probes, AFunctionAnswersInAllItsWays) {
  factories_.add_probe("well", [](const std::string& path) { return path == "/asked"; });
  factories_.add_probe("ill", [](const std::string&) { return false; });
  factories_.add_probe("sick",
                       [](const std::string&) -> bool { throw std::runtime_error("no disk"); });
  EXPECT_TRUE(ask(call("well")).ok);
  EXPECT_EQ(ask(call("ill")).message, "probe 'ill': returned false");
  EXPECT_EQ(ask(call("sick")).message, "probe 'sick': no disk");
  EXPECT_THAT(ask(call("none")).message, HasSubstr("no probe of that name"));
}

TEST_F(Probes, FunctionsThatHangKeepTheirThreadsAndNobodyElse) {
  auto gate = std::make_shared<std::promise<void>>();
  std::shared_future<void> open = gate->get_future();
  factories_.add_probe("hang", [open](const std::string&) {
    open.wait();
    return true;
  });
  for (std::size_t i = 0; i < ProbeRunner::max_function_threads; ++i) {
    auto what = call("hang");
    what.timeout = 50ms;
    start(what, "h" + std::to_string(i));
  }
  for (std::size_t i = 0; i < ProbeRunner::max_function_threads; ++i)
    EXPECT_THAT(wait("h" + std::to_string(i)).message, HasSubstr("no answer within 50 ms"));
  auto late = call("hang");
  late.timeout = 50ms;
  EXPECT_THAT(ask(late).message, HasSubstr("threads for probe functions are taken"));
  const Server<tcp> server{any_port()};
  EXPECT_TRUE(ask(at(Kind::tcp, server.endpoint().port())).ok);
  const auto before = count();
  EXPECT_EQ(runner_.end().size(), ProbeRunner::max_function_threads);
  gate->set_value();
  EXPECT_EQ(count(), before) << "a late answer counts for nothing";
}

TEST_F(Probes, AHelperThreadIsUsedAgain) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  factories_.add_probe("note", [&](const std::string&) {
    const std::lock_guard lock{mutex};
    threads.insert(std::this_thread::get_id());
    return true;
  });
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(ask(call("note")).ok);
    std::this_thread::sleep_for(2ms);
  }
  EXPECT_LE(threads.size(), 3u);
}

TEST_F(Probes, WhatIsCancelledIsNeverAnswered) {
  const Server<tcp> silent{any_port()};
  const auto http = start(at(Kind::http, silent.endpoint().port()), "http");
  const auto exec = start(shell("sleep 1000"), "exec");
  settle();
  const auto before = count();
  runner_.cancel(http);
  runner_.cancel(exec);
  runner_.cancel(12345);
  settle();
  EXPECT_EQ(count(), before + 1) << "only the gates'";
  for (int i = 0; i < 1000 && host_.running() > 0; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(host_.running(), 0u);
}

TEST_F(Probes, AThousandAtOnceAreAllAnswered) {
  const Server<tcp> server{any_port()};
  for (int i = 0; i < 1000; ++i)
    start(at(Kind::tcp, server.endpoint().port()), std::to_string(i));
  for (int i = 0; i < 1000; ++i)
    wait(std::to_string(i));
  EXPECT_EQ(count(), 1000u);
}

TEST_F(Probes, TheEndLeavesNothingBehind) {
  const Server<tcp> silent{any_port()};
  start(at(Kind::http, silent.endpoint().port()));
  start(shell("sleep 1000"));
  settle();
  EXPECT_THAT(runner_.end(), ElementsAre());
  const auto before = count();
  start(shell("true"));
  EXPECT_THAT(runner_.end(), ElementsAre());
  EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace espalier::supervisor::testing
