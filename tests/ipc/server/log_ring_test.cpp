#include "espalier/ipc/server/log_ring.hpp"

#include <gmock/gmock.h>

#include <string>

namespace espalier::ipc::testing {
namespace {

void write(LogRing& ring, const std::string& text) {
  ring.write({.path = "/a", .generation = 3, .text = text});
}

std::vector<std::string> texts(const LinePage& page) {
  std::vector<std::string> result;
  for (const auto& kept : page.lines)
    result.push_back(kept.line.message);
  return result;
}

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LogRing, GivesWhatCameInOrder) {
  LogRing ring{10};
  EXPECT_EQ(ring.end(), 0u);
  write(ring, "one");
  write(ring, "two");
  write(ring, "three");
  const auto page = ring.read_from(0, 2);
  EXPECT_THAT(texts(page), ElementsAre("one", "two"));
  EXPECT_EQ(page.next, 2u);
  EXPECT_EQ(page.lost, 0u);
  EXPECT_EQ(page.lines[1].position, 1u);
  EXPECT_EQ(page.lines[1].line.generation, 3u);
  EXPECT_THAT(texts(ring.read_from(page.next, 100)), ElementsAre("three"));
  EXPECT_THAT(texts(ring.read_from(99, 100)), IsEmpty());
}

TEST(LogRing, SaysHowManyAreGone) {
  LogRing ring{2};
  for (const auto* text : {"1", "2", "3", "4", "5"})
    write(ring, text);
  const auto page = ring.read_from(1, 100);
  EXPECT_THAT(texts(page), ElementsAre("4", "5"));
  EXPECT_EQ(page.lost, 2u);
  EXPECT_EQ(page.next, 5u);
  EXPECT_EQ(ring.end(), 5u);
}

TEST(LogRing, IsBoundedInBytesToo) {
  LogRing ring{1'000'000};
  const std::string big(8192, 'x');
  for (int i = 0; i < 2000; ++i)
    write(ring, big);
  const auto page = ring.read_from(0, 1'000'000);
  EXPECT_LT(page.lines.size() * big.size(), 4U << 20U);
  EXPECT_GT(page.lines.size() * big.size(), 3U << 20U);
  EXPECT_EQ(page.lost + page.lines.size(), 2000u);
}

TEST(LogRing, PassesLinesOn) {
  const auto next = std::make_shared<LogRing>(4);
  LogRing ring{4, next};
  ring.write({.path = "/a", .is_stderr = true, .text = "x", .truncated = true});
  ASSERT_EQ(next->end(), 1u);
  const auto kept = next->read_from(0, 1).lines.front().line;
  EXPECT_EQ(kept.stream, LogStream::err);
  EXPECT_EQ(kept.truncated, true);
}

TEST(LogRing, WakesForAsLongAsItIsWanted) {
  LogRing ring{4};
  int woken = 0;
  auto watch = ring.on_line([&] { ++woken; });
  write(ring, "1");
  write(ring, "2");
  EXPECT_EQ(woken, 2);
  watch.reset();
  write(ring, "3");
  EXPECT_EQ(woken, 2);
}

}  // namespace
}  // namespace espalier::ipc::testing
