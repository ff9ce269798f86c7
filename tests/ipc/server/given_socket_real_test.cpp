#include "espalier/ipc/server/given_socket.hpp"
#include "ipc/server/server_fixture.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <functional>

namespace espalier::ipc::testing {
namespace {

using sv::UniqueFd;
using ::testing::HasSubstr;
using Kind = ServerError::Kind;

UniqueFd unix_socket(int type, const std::string& path, bool listens) {
  UniqueFd fd{::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_TRUE(!listens || ::listen(fd.get(), 8) == 0);
  return fd;
}

expected<PreparedServer, ServerError> prepared(UniqueFd given, const std::string& path = {}) {
  ServerOptions options;
  options.spec = generous(path);
  return PreparedServer::prepare(std::move(options), std::move(given));
}

class GivenSocket : public ServerFixture {};

TEST_F(GivenSocket, IsServedWhereItIsWithItsModeAndLeftBehind) {
  const auto elsewhere = folder_ / "elsewhere";
  const auto manager = unix_socket(SOCK_STREAM, path(), true);
  ASSERT_EQ(::chmod(path().c_str(), 0640), 0);
  auto ready = prepared(UniqueFd{::dup(manager.get())}, elsewhere);
  ASSERT_TRUE(ready) << ready.error().message;
  LiveTarget target{generous(folder_ / "other")};
  auto server = Server::start(*target.handle, std::move(*ready));
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ((*server)->path(), path());

  WireClient client{path()};
  client.send("{\"request_id\":\"1\",\"method\":\"ping\"}\n");
  EXPECT_EQ(code_of(client.line().value_or("")), "ok");
  server->reset();
  struct stat found {};
  ASSERT_EQ(::stat(path().c_str(), &found), 0) << "the socket of the service manager was removed";
  EXPECT_EQ(found.st_mode & 0777U, 0640U);
  EXPECT_TRUE(WireClient{path()}.connected()) << "who comes between two runs waits";
  EXPECT_NE(::access(elsewhere.c_str(), F_OK), 0) << "another one was bound as well";
  EXPECT_NE(::access((path() + ".lock").c_str(), F_OK), 0);
}

TEST_F(GivenSocket, DoesNotBlockAndIsNoChildsAfterwards) {
  const auto manager = unix_socket(SOCK_STREAM, path(), true);
  const int given = ::dup(manager.get());
  const auto ready = prepared(UniqueFd{given});
  ASSERT_TRUE(ready) << ready.error().message;
  EXPECT_NE(::fcntl(given, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(::fcntl(given, F_GETFD), FD_CLOEXEC);
}

TEST_F(GivenSocket, OfAnotherKindIsCalledByWhatItIs) {
  using Make = std::function<UniqueFd()>;
  const auto pipe_end = [] {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    ::close(ends[1]);
    return UniqueFd{ends[0]};
  };
  const std::pair<Make, const char*> cases[] = {
      {[] { return UniqueFd{::socket(AF_INET6, SOCK_STREAM, 0)}; }, "is a TCP socket"},
      {[] { return UniqueFd{::socket(AF_INET, SOCK_DGRAM, 0)}; }, "is a UDP socket"},
      {[this] { return unix_socket(SOCK_DGRAM, folder_ / "d", false); }, "Unix datagram socket"},
      {[this] { return unix_socket(SOCK_SEQPACKET, folder_ / "q", true); }, "sequential packet"},
      {[this] { return unix_socket(SOCK_STREAM, folder_ / "n", false); }, "does not listen"},
      {[] { return unix_socket(SOCK_STREAM, std::string("\0espalier-test", 14), true); },
       "without a file"},
      {pipe_end, "is a FIFO"},
      {[] { return UniqueFd{::open("/proc/self/status", O_RDONLY)}; }, "is a regular file"},
  };
  for (const auto& [make, what] : cases) {
    const auto refused = prepared(make());
    ASSERT_FALSE(refused) << what;
    EXPECT_EQ(refused.error().kind, Kind::given);
    EXPECT_THAT(refused.error().message, HasSubstr(what));
    EXPECT_THAT(refused.error().message, HasSubstr("ListenStream=")) << "what to do about it";
  }
}

}  // namespace
}  // namespace espalier::ipc::testing
