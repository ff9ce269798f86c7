#include "espalier/ipc/server/socket_file.hpp"
#include "ipc/server/other_user.hpp"
#include "ipc/support/socket_folder.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

namespace espalier::ipc::testing {
namespace {

// Somebody moves a file to the path while a start is under way, sooner or later: after the start
// found the path free, or found a dead socket there. The file is never the one that goes.
TEST(SocketFileRace, WhatComesToThePathMeanwhileIsNeverRemoved) {
  const Folder folder;
  const auto path = folder / "s";
  const auto precious = folder / "precious";
  for (int i = 0; i < 600; ++i) {
    ::unlink(path.c_str());
    if (i % 2 == 0) ::close(listen_at(path));
    write_file(precious, std::to_string(i));
    std::thread somebody{[&, i] {
      if (i % 3 != 0) std::this_thread::sleep_for(std::chrono::microseconds{i % 50});
      EXPECT_EQ(::rename(precious.c_str(), path.c_str()), 0);
    }};
    const auto file = SocketFile::bind(path, 0600, supervisor::BindMode::replace_stale);
    somebody.join();
    ASSERT_EQ(content_of(path), std::to_string(i)) << "bound: " << file.has_value();
  }
}

}  // namespace
}  // namespace espalier::ipc::testing
