#include "espalier/supervisor/process/notify_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

namespace espalier::supervisor {
namespace {

constexpr uid_t nobody = 65534;
constexpr uid_t somebody = 12345;

/// As a process of that user.
void say_as(uid_t uid, const std::string& to, const std::string& text) {
  const auto child = ::fork();
  if (child == 0) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, to.data() + 1, to.size() - 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + to.size());
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    const bool said = ::setuid(uid) == 0 &&
                      ::sendto(fd, text.data(), text.size(), 0,
                               static_cast<sockaddr*>(static_cast<void*>(&address)), size) > 0;
    ::_exit(said ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
}

// Its address is abstract: any process of the machine may send to it.
TEST(NotifySocket, HearsItsProcessAndNobodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  NotifySocket socket{"espalier-test-" + std::to_string(::getpid())};
  say_as(nobody, socket.address(), "READY=1");
  EXPECT_FALSE(socket.receive(somebody)) << "a stranger spoke for it";
  say_as(nobody, socket.address(), "READY=1");
  say_as(somebody, socket.address(), "STATUS=mine");
  const auto message = socket.receive(somebody);
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->ready);
  EXPECT_EQ(message->status, "mine");
  say_as(0, socket.address(), "READY=1");
  EXPECT_TRUE(socket.receive(somebody)) << "root may speak for it";
}

}  // namespace
}  // namespace espalier::supervisor
