#include "espalier/supervisor/core/path_pattern.hpp"

#include <gtest/gtest.h>

#include <string>

namespace espalier::supervisor {
namespace {

TEST(PathPattern, AStarStaysWithinANameAndTwoCrossNames) {
  EXPECT_TRUE(fits_pattern("/workers/*", "/workers/a"));
  EXPECT_FALSE(fits_pattern("/workers/*", "/workers/a/b"));
  EXPECT_FALSE(fits_pattern("/workers/*", "/workers"));
  EXPECT_TRUE(fits_pattern("/**", "/workers/a/b"));
  EXPECT_TRUE(fits_pattern("/**/b", "/workers/a/b"));
  EXPECT_FALSE(fits_pattern("/**/c", "/workers/a/b"));
  EXPECT_TRUE(fits_pattern("/w*-?", "/worker-1"));
  EXPECT_FALSE(fits_pattern("/w*-?", "/worker-12"));
  EXPECT_FALSE(fits_pattern("/a?b", "/a/b"));
  EXPECT_TRUE(fits_pattern("/*a*b", "/xaxxb"));
  EXPECT_FALSE(fits_pattern("/a", "/ab"));
  EXPECT_FALSE(fits_pattern("", "/"));
}

TEST(PathPattern, AHostilePatternTakesNoLongTime) {
  const std::string path = "/" + std::string(2000, 'a');
  std::string pattern = "/";
  for (int i = 0; i < 500; ++i)
    pattern += "*a";
  EXPECT_FALSE(fits_pattern(pattern + "b", path));
}

TEST(PathPattern, KnowsAPatternFromAPath) {
  EXPECT_TRUE(is_pattern("/a/*"));
  EXPECT_TRUE(is_pattern("/a?"));
  EXPECT_FALSE(is_pattern("/a/b-1"));
}

}  // namespace
}  // namespace espalier::supervisor
