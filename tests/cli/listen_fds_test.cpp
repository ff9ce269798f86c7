#include "espalier/cli/listen_fds.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace espalier::cli {
namespace {

using testing::HasSubstr;

struct Given {
  std::string count = {};
  std::optional<std::string> names = {};
  int open = 0;  ///< Descriptors from 3 on that are open, and not closed on exec.
  bool for_us = true;
};

std::string described(const Given& given) {
  for (int fd = 3; fd < 3 + given.open; ++fd)
    dup2(STDERR_FILENO, fd);
  if (given.open == 0) close(3);
  setenv("LISTEN_FDS", given.count.c_str(), 1);
  setenv("LISTEN_PID", std::to_string(getpid() + (given.for_us ? 0 : 1)).c_str(), 1);
  if (given.names) setenv("LISTEN_FDNAMES", given.names->c_str(), 1);
  const auto taken = ListenFds::take();
  for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) {
    if (std::getenv(name) != nullptr) return std::string(name) + " was left to the children";
  }
  if (!taken) return taken.error();
  std::string text = "tree " + std::to_string(taken->tree.get()) + ", metrics " +
                     std::to_string(taken->metrics.get());
  for (const int fd : {taken->tree.get(), taken->metrics.get()}) {
    if (fd >= 0 && fcntl(fd, F_GETFD) != FD_CLOEXEC) text += ", open for children";
  }
  return text;
}

/// In a process of its own: descriptor 3 is somebody else's here.
std::string take(const Given& given) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    const int out = fcntl(ends[1], F_DUPFD, 50);
    const std::string text = described(given);
    _exit(write(out, text.data(), text.size()) > 0 ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t size = 0; (size = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(size));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return text;
}

TEST(ListenFds, AloneASocketIsThatOfTheTreeWhateverItsName) {
  EXPECT_EQ(take({"1", "espalier", 1}), "tree 3, metrics -1");
  EXPECT_EQ(take({"1", "espalier@shop.socket", 1}), "tree 3, metrics -1");
  EXPECT_EQ(take({"1", std::nullopt, 1}), "tree 3, metrics -1");
  EXPECT_EQ(take({"2", "metrics:espalier@shop.socket", 2}), "tree 4, metrics 3");
}

TEST(ListenFds, SeveralAreKnownByTheirNames) {
  EXPECT_EQ(take({"1", "metrics", 1}), "tree -1, metrics 3");
  EXPECT_EQ(take({"2", "metrics:espalier", 2}), "tree 4, metrics 3");
  EXPECT_EQ(take({"2", "espalier:metrics", 2}), "tree 3, metrics 4");
}

TEST(ListenFds, ThoseOfAnotherProcessAndNoneAreNone) {
  EXPECT_EQ(take({"1", "espalier", 1, false}), "tree -1, metrics -1");
  EXPECT_EQ(take({"", std::nullopt, 1}), "tree -1, metrics -1");
  EXPECT_EQ(take({"0", "", 0}), "tree -1, metrics -1");
}

TEST(ListenFds, WhatCannotBeUsedIsRefusedByName) {
  EXPECT_THAT(take({"2", "espalier:web", 2}), HasSubstr("'web'"));
  EXPECT_THAT(take({"2", "espalier:web", 2}), HasSubstr("FileDescriptorName="));
  EXPECT_THAT(take({"2", "espalier:espalier", 2}), HasSubstr("two named 'espalier'"));
  EXPECT_THAT(take({"some", "espalier", 1}), HasSubstr("'some'"));
  EXPECT_THAT(take({"9999", "espalier", 1}), HasSubstr("'9999'"));
  EXPECT_THAT(take({"1", "espalier", 0}), HasSubstr("descriptor 3 is not open"));
}

}  // namespace
}  // namespace espalier::cli
