#include "cli/running_program.hpp"
#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

namespace espalier::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

class LogOfARun : public testing::Test {
 protected:
  /// A tree with these settings of observability.logs, whose child writes a line each 20 ms.
  std::string tree(const std::string& logs, const std::string& script = chatter) {
    return folder_.write("tree.yaml", "observability: {logs: {" + logs +
                                          "}}\n"
                                          "supervisor: {name: shop}\n"
                                          "children:\n"
                                          "  - {name: talk, command: [sh, -c, '" +
                                          script + "']}\n");
  }
  bool wait_for(const std::string& text) const {
    return eventually([&] { return read_file(log_).find(text) != std::string::npos; });
  }
  static constexpr const char* chatter = "i=0; while sleep 0.02; do i=$((i+1)); echo line $i; done";
  TempFolder folder_;
  std::string log_ = folder_.path("shop.log");
};

TEST_F(LogOfARun, GoesToItsFileAsJsonAndNotToStandardError) {
  RunningProgram program(folder_, {"run", tree("file: " + log_)});
  ASSERT_TRUE(wait_for("line 3")) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), exit_done) << program.err();
  bool talked = false;
  for (const auto& line : lines_of(read_file(log_))) {
    const auto object = json::parse(line);
    talked = talked || object.value("stream", "") == "stdout";
    EXPECT_TRUE(!object.contains("path") || object["target_id"] == "shop") << line;
  }
  EXPECT_TRUE(talked);
  EXPECT_THAT(program.err(), Not(HasSubstr("line 3")));
}

TEST_F(LogOfARun, AFileThatCannotBeOpenedIsAClearErrorAndStartsNothing) {
  const auto file = folder_.path("none/shop.log");
  RunningProgram program(folder_, {"run", tree("file: " + file), "--log-format", "text"});
  EXPECT_EQ(program.wait(), exit_failed);
  EXPECT_THAT(program.err(),
              AllOf(HasSubstr("cannot open the log \"" + file + "\""),
                    HasSubstr("No such file or directory"), HasSubstr("observability.logs.file")));
}

// As logrotate does it: rename, then a signal.
TEST_F(LogOfARun, IsRotatedByARenameAndSighup) {
  RunningProgram program(folder_, {"run", tree("file: " + log_)});
  ASSERT_TRUE(wait_for("line 3")) << program.err();
  std::string all;
  for (int round = 0; round < 3; ++round) {
    const auto old = log_ + "." + std::to_string(round);
    std::filesystem::rename(log_, old);
    program.signal(SIGHUP);
    ASSERT_TRUE(wait_for("reload: nothing to do")) << read_file(old);
    all += read_file(old);
  }
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), exit_done) << program.err();
  all += read_file(log_);
  int next = 1;
  for (const auto& line : lines_of(all)) {
    const auto object = json::parse(line);
    if (object.value("stream", "").empty()) continue;
    EXPECT_EQ(object["message"], "line " + std::to_string(next++)) << "none lost, none twice";
  }
  EXPECT_GT(next, 3);
}

TEST_F(LogOfARun, LinesThatComeTooOftenAreLeftOutAndCounted) {
  const auto file = tree("file: " + log_ + ", output_rate: {lines: 5, window: 1s}",
                         "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; sleep 60");
  RunningProgram program(folder_, {"run", file});
  ASSERT_TRUE(wait_for("7 more lines like this were left out (output, /talk)"))
      << read_file(log_) << "nothing else is logged, and it is said all the same";
  EXPECT_THAT(read_file(log_), AllOf(HasSubstr("line 5"), Not(HasSubstr("line 6"))));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), exit_done) << program.err();
}

TEST_F(LogOfARun, IsForJournaldWhereTheServiceManagerSaysThatItReads) {
  struct stat info = {};
  ASSERT_EQ(::stat(folder_.write("stderr", "").c_str(), &info),
            0);  // It is written into this file.
  const auto stream = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  RunningProgram program(folder_, {"run", tree("format: auto")}, {{"JOURNAL_STREAM", stream}});
  ASSERT_TRUE(program.wait_for_err("<6>/talk stdout: line 2\n")) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), exit_done);
  for (const auto& line : lines_of(program.err()))
    EXPECT_TRUE(line.starts_with("<") && line.find('>') == 2) << line;
}

}  // namespace
}  // namespace espalier::cli
