#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

class Reconcile : public RuntimeFixture {};

// It left the group of its child, so no signal to that has reached it.
TEST_F(Reconcile, WhatAChildLeftBehindIsNamedAndEnded) {
  std::string folder = (std::filesystem::temp_directory_path() / "left-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto file = folder + "/pid";
  auto settings = options();
  settings.subreaper = true;
  const auto script = "setsid sh -c 'echo $$ > " + file + "; exec sleep 300' & exec sleep 300";
  const auto tree = Supervisor::start({.children = {shell("a", script)}}, factories_, settings);
  ASSERT_TRUE(tree);
  pid_t left = 0;
  for (int i = 0; i < 1000 && left == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    std::ifstream{file} >> left;
  }
  ASSERT_GT(left, 0);
  const auto result = tree->shutdown(meta_);
  ASSERT_TRUE(result);
  std::filesystem::remove_all(folder);
  const auto& checks = result->report.reconcile.checks;
  const auto check = std::find_if(checks.begin(), checks.end(),
                                  [](const auto& x) { return x.what == "descendants"; });
  ASSERT_NE(check, checks.end());
  EXPECT_THAT(check->found, ::testing::ElementsAre(
                                ::testing::HasSubstr("pid " + std::to_string(left) + " of /a")));
  EXPECT_EQ(::kill(left, 0), -1) << "it lives on";
}

}  // namespace
}  // namespace espalier::supervisor::testing
