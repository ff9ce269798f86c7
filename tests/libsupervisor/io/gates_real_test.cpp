#include "libsupervisor/io/probe_fixture.hpp"

#include <boost/asio/local/datagram_protocol.hpp>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <fstream>

namespace espalier::supervisor::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using Kind = StartGate::Kind;

class Gates : public ProbeFixture {
 protected:
  Answer pid_file(const std::string& content) {
    const auto path = folder_ / "pid";
    std::ofstream{path} << content;
    return gates({{Kind::pid_file, path}});
  }
  TemporaryFolder folder_;
};

TEST_F(Gates, NoneIsFree) {
  EXPECT_TRUE(gates({}).ok);
}

TEST_F(Gates, ASocketIsFreeWithoutAListener) {
  const auto path = folder_ / "s";
  EXPECT_TRUE(gates({{Kind::path, path}}).ok) << "no such file";
  {
    const Server<local> server{local::endpoint{path}};
    const auto answer = gates({{Kind::path, path}});
    EXPECT_FALSE(answer.ok);
    EXPECT_THAT(answer.message, StartsWith("socket " + path + ": process "));
    EXPECT_THAT(answer.message, HasSubstr(std::to_string(::getpid()) + " ("));
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(gates({{Kind::path, path}}).ok) << "stale";
}

TEST_F(Gates, ADatagramSocketCountsToo) {
  const auto path = folder_ / "d";
  boost::asio::io_context context;
  using datagram = boost::asio::local::datagram_protocol;
  const datagram::socket socket{context, datagram::endpoint{path}};
  EXPECT_FALSE(gates({{Kind::path, path}}).ok);
}

TEST_F(Gates, AFileThatIsNoSocketHoldsNobody) {
  const auto path = folder_ / "file";
  std::ofstream{path} << "x";
  EXPECT_TRUE(gates({{Kind::path, path}}).ok);
  EXPECT_THAT(gates({{Kind::path, std::string(200, 'x')}}).message, HasSubstr("107 bytes"));
}

TEST_F(Gates, APortIsFreeWithoutAListener) {
  std::string port;
  {
    const Server<tcp> server{any_port()};
    port = std::to_string(server.endpoint().port());
    EXPECT_EQ(gates({{Kind::port, port}}).message, "port " + port + ": somebody still listens");
    EXPECT_FALSE(gates({{Kind::port, "127.0.0.1:" + port}}).ok);
    EXPECT_TRUE(gates({{Kind::port, "127.0.0.2:" + port}}).ok) << "another address";
  }
  EXPECT_TRUE(gates({{Kind::port, port}}).ok);
  EXPECT_TRUE(gates({{Kind::port, "127.0.0.1:" + port}}).ok);
}

TEST_F(Gates, OldConnectionsDoNotKeepAPort) {
  boost::asio::io_context context;
  std::string port;
  {
    tcp::acceptor acceptor{context, any_port()};
    port = std::to_string(acceptor.local_endpoint().port());
    tcp::socket client{context};
    client.connect(acceptor.local_endpoint());
    auto server = acceptor.accept();
    server.close();  // First: this side keeps TIME_WAIT.
  }
  EXPECT_TRUE(gates({{Kind::port, port}}).ok);
}

TEST_F(Gates, WhatIsNoPortIsToldSo) {
  for (const char* value : {"", "0", "http", "70000", "localhost:80", ":80"}) {
    const auto answer = gates({{Kind::port, value}});
    EXPECT_FALSE(answer.ok) << value;
    EXPECT_THAT(answer.message, HasSubstr("is no port")) << value;
  }
}

TEST_F(Gates, APidFileIsFreeWithoutItsProcess) {
  EXPECT_TRUE(gates({{Kind::pid_file, folder_ / "none"}}).ok);
  const auto own = pid_file(std::to_string(::getpid()) + "\n");
  EXPECT_FALSE(own.ok);
  EXPECT_THAT(own.message, HasSubstr("process " + std::to_string(::getpid()) + " ("));
  EXPECT_THAT(own.message, HasSubstr("still lives"));
  EXPECT_TRUE(pid_file("2147483646").ok);
  EXPECT_THAT(pid_file("12x").message, HasSubstr("holds no process number ('12x')"));
  EXPECT_FALSE(pid_file("").ok);
  EXPECT_FALSE(pid_file("-1").ok);
}

TEST_F(Gates, AZombieHoldsNothing) {
  const pid_t zombie = ::fork();
  if (zombie == 0) ::_exit(0);
  siginfo_t info = {};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(pid_file(std::to_string(zombie)).ok);
  ::waitpid(zombie, nullptr, 0);
}

TEST_F(Gates, TheFirstThatIsNotFreeIsNamed) {
  const auto path = folder_ / "pid";
  std::ofstream{path} << ::getpid();
  const auto answer = gates({{Kind::path, folder_ / "none"}, {Kind::pid_file, path}});
  EXPECT_FALSE(answer.ok);
  EXPECT_THAT(answer.message, StartsWith("pid file " + path));
}

}  // namespace
}  // namespace espalier::supervisor::testing
