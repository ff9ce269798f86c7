#include "espalier/ipc/server/audit_file.hpp"
#include "espalier/ipc/wire/codec.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace espalier::ipc {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class AuditFileTest : public testing::Test {
 protected:
  AuditFileTest() {
    std::string pattern = (fs::temp_directory_path() / "audit-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ / "audit.ndjson";
  }
  ~AuditFileTest() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string text() const {
    std::ifstream in{path_};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void write(const std::string& text) const { std::ofstream{path_} << text; }
  [[nodiscard]] std::unique_ptr<AuditFile> open() const {
    auto file = AuditFile::open(path_);
    EXPECT_TRUE(file) << file.error();
    return file ? std::move(*file) : nullptr;
  }
  [[nodiscard]] std::string refusal() const {
    const auto file = AuditFile::open(path_);
    return file ? "it was opened" : file.error();
  }
  // So many records, by a program that ends properly.
  void record(int count) const {
    const auto file = open();
    AuditLog log{*file, file->head()};
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(log.write({.method = "reload"}));
  }

  fs::path folder_ = {};
  fs::path path_ = {};
};

using audit_file = AuditFileTest;

TEST_F(audit_file, is_made_for_its_owner_only) {
  const auto before = ::umask(0);
  const auto file = open();
  ::umask(before);
  struct stat info = {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(audit_file, the_chain_goes_on_over_restarts) {
  for (int i = 0; i < 3; ++i)
    record(2);
  const auto verdict = verify_audit(text());
  EXPECT_THAT(verdict.problem, IsEmpty());
  EXPECT_EQ(verdict.records, 6U);
  const auto file = open();
  EXPECT_EQ(file->head().sequence, 6U);
  EXPECT_EQ(file->head().hash, verdict.head.hash);
  EXPECT_EQ(file->last(100).size(), 6U);
  EXPECT_THAT(file->notice(), IsEmpty());
}

TEST_F(audit_file, a_torn_tail_is_cut_off_and_told) {
  record(2);
  const auto whole = text();
  write(whole + whole.substr(0, 100));
  {
    const auto file = open();
    EXPECT_THAT(file->notice(), HasSubstr("its last 100 bytes were cut off"));
    AuditLog log{*file, file->head()};
    EXPECT_TRUE(log.write({.method = "reload"}));
  }
  EXPECT_THAT(text(), HasSubstr(whole));
  EXPECT_THAT(verify_audit(text()).problem, IsEmpty());
  EXPECT_EQ(verify_audit(text()).records, 3U);
}

TEST_F(audit_file, a_broken_chain_is_refused_with_its_place_and_left_alone) {
  record(3);
  auto changed = text();
  changed.replace(changed.rfind("reload"), 6, "reboot");
  write(changed);
  EXPECT_THAT(refusal(), HasSubstr("line 3 breaks its chain: the hash does not fit"));
  EXPECT_THAT(refusal(), HasSubstr(path_.string()));
  EXPECT_EQ(text(), changed);
}

TEST_F(audit_file, only_one_program_writes_to_it) {
  {
    const auto first = open();
    EXPECT_THAT(refusal(), HasSubstr("another program writes to it"));
  }
  EXPECT_NE(open(), nullptr);
}

TEST_F(audit_file, what_is_no_regular_file_is_refused) {
  fs::create_directory(path_);
  EXPECT_THAT(refusal(), HasSubstr("it is a folder"));
  fs::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("no regular file"));
  path_ = "/dev/full";
  EXPECT_THAT(refusal(), HasSubstr("no regular file"));
}

TEST_F(audit_file, a_link_is_not_followed) {
  const auto aim = folder_ / "aim";
  fs::create_symlink(aim, path_);
  EXPECT_THAT(refusal(), HasSubstr("symbolic link"));
  EXPECT_FALSE(fs::exists(aim));
}

TEST_F(audit_file, one_that_others_may_write_is_refused) {
  for (const auto mode : {0620U, 0602U}) {
    record(1);
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    EXPECT_THAT(refusal(), HasSubstr("chmod go-w"));
    fs::remove(path_);
  }
}

TEST_F(audit_file, one_of_somebody_else_is_refused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  record(1);
  ASSERT_EQ(::chown(path_.c_str(), 12345, 12345), 0);
  EXPECT_THAT(refusal(), HasSubstr("it belongs to user 12345"));
}

TEST_F(audit_file, a_folder_that_is_missing_is_told) {
  path_ = folder_ / "missing" / "audit";
  EXPECT_THAT(refusal(),
              HasSubstr("No such file or directory; name a file in a folder that exists"));
}

// The disk is full after some bytes, then there is room again.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_ = {};
  void (*handler_)(int);
};

TEST_F(audit_file, a_full_disk_is_told_and_leaves_a_chain) {
  record(1);
  const auto one = text();
  const auto file = open();
  AuditLog log{*file, file->head()};
  for (const std::size_t room : {std::size_t{0}, std::size_t{1}, one.size() / 2, one.size() - 1}) {
    const FileSizeLimit limit{one.size() + room};
    EXPECT_FALSE(log.write({.method = "reload"})) << room;
    EXPECT_EQ(text(), one) << room;
    EXPECT_EQ(file->last(100).size(), 1U);
  }
  EXPECT_TRUE(log.write({.method = "reload"}));
  EXPECT_THAT(verify_audit(text()).problem, IsEmpty());
  EXPECT_EQ(verify_audit(text()).records, 2U);
}

TEST_F(audit_file, says_false_once_somebody_else_wrote_cut_or_deleted_it) {
  const auto spoil = [&](auto how) {
    record(2);
    const auto file = open();
    AuditLog log{*file, file->head()};
    EXPECT_TRUE(log.write({.method = "reload"}));
    how();
    EXPECT_FALSE(log.write({.method = "reload"}));
    EXPECT_FALSE(log.write({.method = "reload"}));
    fs::remove(path_);
  };
  spoil([&] { std::ofstream{path_, std::ios::app} << "{}\n"; });
  spoil([&] { fs::resize_file(path_, 10); });
  spoil([&] { fs::remove(path_); });
}

TEST_F(audit_file, a_killed_program_leaves_a_chain) {
  for (int round = 0; round < 5; ++round) {
    const auto child = ::fork();
    if (child == 0) {
      auto file = AuditFile::open(path_);
      if (!file) ::_exit(1);
      AuditLog log{**file, (*file)->head()};
      while (log.write({.method = "reload"})) {
      }
      ::_exit(2);
    }
    ::usleep(30'000);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_THAT(verify_audit(text()).problem, IsEmpty());
  }
  EXPECT_NE(open(), nullptr);
}

TEST_F(audit_file, a_chain_of_many_records_is_read_in_parts) {
  std::string all;
  AuditRing ring{2000};
  AuditLog log{ring};
  for (int i = 0; i < 2000; ++i)
    ASSERT_TRUE(log.write({.reason = std::string(100, 'r')}));
  for (const auto& line : ring.last(2000))
    all += line + '\n';
  write(all);
  ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
  const auto file = open();
  EXPECT_EQ(file->head().sequence, 2000U);
  EXPECT_EQ(file->last(5000).size(), 1000U);
}

}  // namespace
}  // namespace espalier::ipc
