#include "espalier/supervisor/process/crash_trace.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace espalier::supervisor::testing {
namespace {

using ::testing::ElementsAre;

std::string program() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

TEST(CrashTrace, NamesAreDemangledAndModulesShort) {
  EXPECT_THAT(readable_trace({"/usr/bin/player(_ZN5movie6decodeEi+0x1c) [0x55d0]\n",
                              "/lib/libc.so.6(abort+0xd3) [0x7f]"}),
              ElementsAre("movie::decode(int) +0x1c (player)", "abort +0xd3 (libc.so.6)"));
}

TEST(CrashTrace, AModuleMayHaveAnyName) {
  EXPECT_THAT(readable_trace({"/opt/a (deleted)(main+0x10) [0x1]", "/opt/a(b)/c(+0x10) [0x1]"}),
              ElementsAre("main +0x10 (a (deleted))", "+0x10 (c)"));
}

TEST(CrashTrace, WhatCannotBeReadStaysAsItIs) {
  EXPECT_THAT(readable_trace({"[0x1234]\n", "", "x(", "x(+0xzz) [0x1]", "x(a+0x) [1]"}),
              ElementsAre("[0x1234]", "", "x(", "x(+0xzz) [0x1]", "x(a+0x) [1]"));
}

TEST(CrashTrace, OffsetsBeyondEveryFunctionHaveNoName) {
  EXPECT_THAT(readable_trace({program() + "(+0x1) [0x1]"}),
              ElementsAre("+0x1 (" + std::filesystem::path{program()}.filename().string() + ")"));
  EXPECT_TRUE(functions_at("/proc/self/exe", {1}).empty());
}

TEST(CrashTrace, FilesThatAreNoProgramsHaveNoFunctions) {
  EXPECT_TRUE(functions_at("/etc/passwd", {0, 1, 0x1000}).empty());
  EXPECT_TRUE(functions_at("/nonexistent", {0}).empty());
  EXPECT_TRUE(functions_at("/proc", {0}).empty());
}

}  // namespace
}  // namespace espalier::supervisor::testing
