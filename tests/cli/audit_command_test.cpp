#include "cli/call_app.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/ipc/core/audit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace espalier::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// An audit file with three records, gone with the test.
class AuditCommand : public testing::Test {
 protected:
  AuditCommand() {
    ipc::AuditRing store(10);
    ipc::AuditLog log(store);
    for (const auto* method : {"command.restart_child", "command.remove_child", "state"}) {
      ipc::AuditRecord record;
      record.at = ipc::Timestamp{std::chrono::seconds{1'700'000'000}};
      record.uid = 1000;
      record.method = method;
      record.path = "/a\x1b[31m";
      record.decision = "completed";
      record.control = "execution";
      EXPECT_TRUE(log.write(record));
    }
    lines_ = store.last(10);
    head_ = log.head().hash;
    write(lines_[0] + "\n" + lines_[1] + "\n" + lines_[2] + "\n");
  }
  ~AuditCommand() override { std::remove(path_.c_str()); }
  void write(const std::string& text) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
  }
  std::string path_ = testing::TempDir() + "audit_command_" + std::to_string(::getpid());
  std::vector<std::string> lines_;
  std::string head_;
};

TEST_F(AuditCommand, AChainThatHoldsIsToldWithItsHead) {
  const auto outcome = call({"audit", "verify", path_});
  EXPECT_EQ(outcome.code, exit_done) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("holds, 3 records"), HasSubstr("head:  3 " + head_),
                                 HasSubstr("first: 2023-11-14T22:13:20")));
}

TEST_F(AuditCommand, AChangedRecordIsToldWithItsLine) {
  auto changed = lines_[1];
  changed.replace(changed.find("1000"), 4, "1001");
  write(lines_[0] + "\n" + changed + "\n" + lines_[2] + "\n");
  const auto outcome = call({"audit", "verify", path_});
  EXPECT_EQ(outcome.code, exit_failed);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("line 2: "), HasSubstr("Records 1 to 1 hold")));
  EXPECT_EQ(outcome.out, "");
}

TEST_F(AuditCommand, ARemovedRecordIsToldWithItsLine) {
  write(lines_[0] + "\n" + lines_[2] + "\n");
  const auto outcome = call({"audit", "verify", path_});
  EXPECT_EQ(outcome.code, exit_failed);
  EXPECT_THAT(outcome.err, HasSubstr("line 2: "));
}

TEST_F(AuditCommand, AWriteThatWasCutOffBreaksNothing) {
  write(lines_[0] + "\n" + lines_[1].substr(0, 20));
  const auto outcome = call({"audit", "verify", path_});
  EXPECT_EQ(outcome.code, exit_done);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("holds, 1 record\n"), HasSubstr("cut off.")));
}

TEST_F(AuditCommand, AnEmptyFileHolds) {
  write("");
  const auto outcome = call({"audit", "verify", path_});
  EXPECT_EQ(outcome.code, exit_done);
  EXPECT_THAT(outcome.out, HasSubstr("0 records"));
}

TEST_F(AuditCommand, ShowPrintsARecordALineSafeForATerminal) {
  const auto outcome = call({"audit", "show", path_});
  EXPECT_EQ(outcome.code, exit_done) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 3);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("uid 1000"), HasSubstr("command.remove_child /a"),
                                 HasSubstr("completed"), Not(HasSubstr("\x1b"))));
  const auto json = call({"audit", "show", path_, "-o", "json"});
  EXPECT_EQ(json.code, exit_done);
  EXPECT_THAT(json.out, AllOf(HasSubstr("\"method\":\"state\""), Not(HasSubstr("\x1b"))));
}

TEST_F(AuditCommand, WhatIsNoRecordIsToldWithItsLine) {
  write(lines_[0] + "\nhello\n");
  const auto outcome = call({"audit", "show", path_});
  EXPECT_EQ(outcome.code, exit_failed);
  EXPECT_THAT(outcome.err, HasSubstr("line 2: "));
  EXPECT_THAT(outcome.out, HasSubstr("command.restart_child"));
}

TEST_F(AuditCommand, AFileThatCannotBeReadIsToldWithARemedy) {
  const auto missing = call({"audit", "verify", path_ + "-none"});
  EXPECT_EQ(missing.code, exit_failed);
  EXPECT_THAT(missing.err, HasSubstr("check the path"));
  EXPECT_THAT(call({"audit", "verify", "/tmp"}).err, HasSubstr("is a folder"));
  EXPECT_EQ(call({"audit", "verify"}).code, exit_usage);
  EXPECT_EQ(call({"audit"}).code, exit_usage);
}

}  // namespace
}  // namespace espalier::cli
