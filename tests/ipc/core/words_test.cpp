#include "espalier/ipc/wire/words.hpp"

#include <gtest/gtest.h>

namespace espalier::ipc {
namespace {

TEST(Words, HealthIsSaidInTheSameWordsOnTheWire) {
  using Words = WireWords<sv::HealthReport::State>;
  for (std::size_t i = 0; i < Words::count; ++i)
    EXPECT_STREQ(Words::word(i), to_string(static_cast<sv::HealthReport::State>(i)));
}

}  // namespace
}  // namespace espalier::ipc
