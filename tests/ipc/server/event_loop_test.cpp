#include "espalier/ipc/server/event_loop.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <string>

namespace espalier::ipc::testing {
namespace {

bool is_woken(const Mailbox& mailbox) {
  pollfd fd{.fd = mailbox.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&fd, 1, 0) == 1;
}

TEST(Mailbox, TheFirstNewsWakeAndTheRestDoNot) {
  Mailbox mailbox;
  EXPECT_FALSE(mailbox.take_news());
  mailbox.news();
  EXPECT_TRUE(is_woken(mailbox));
  static_cast<void>(mailbox.take());
  EXPECT_TRUE(mailbox.take_news());
  mailbox.news();
  EXPECT_FALSE(is_woken(mailbox)) << "it has been told that it will look again";
  EXPECT_FALSE(mailbox.arm()) << "there are news";
  EXPECT_TRUE(mailbox.take_news());
  EXPECT_TRUE(mailbox.arm());
  mailbox.news();
  EXPECT_TRUE(is_woken(mailbox));
}

TEST(Mailbox, BringsWorkInOrder) {
  Mailbox mailbox;
  std::string done;
  mailbox.post([&] { done += "a"; });
  mailbox.post([&] { done += "b"; });
  EXPECT_TRUE(is_woken(mailbox));
  for (const auto& work : mailbox.take())
    work();
  EXPECT_EQ(done, "ab");
  EXPECT_FALSE(is_woken(mailbox));
}

TEST(Mailbox, DropsWorkOnceItIsClosed) {
  Mailbox mailbox;
  const auto held = std::make_shared<int>(1);
  mailbox.post([held] {});
  EXPECT_EQ(held.use_count(), 2);
  mailbox.close();
  EXPECT_EQ(held.use_count(), 1);
  mailbox.post([held] {});
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_TRUE(mailbox.take().empty());
}

TEST(EventLoop, SaysWhatIsReady) {
  EventLoop loop;
  Mailbox mailbox;
  ASSERT_TRUE(loop.is_usable());
  ASSERT_TRUE(loop.add(mailbox.fd(), EPOLLIN, 7));
  const auto now = supervisor::TimePoint{};
  EXPECT_TRUE(loop.wait(now, now).empty());
  mailbox.news();
  const auto ready = loop.wait({}, now);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].data.u64, 7u);
  loop.change(mailbox.fd(), 0, 7);
  EXPECT_TRUE(loop.wait(now, now).empty());
}

}  // namespace
}  // namespace espalier::ipc::testing
