#include "cli/running_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>

namespace espalier::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

/// A client that knows nothing of the project: a socket, a line out, a line in.
class PlainClient {
 public:
  explicit PlainClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    is_open_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~PlainClient() { ::close(fd_); }
  PlainClient(const PlainClient&) = delete;
  PlainClient& operator=(const PlainClient&) = delete;
  [[nodiscard]] bool is_open() const { return is_open_; }

  /// The answer, or null when none comes within ten seconds.
  Json ask(const std::string& method, const Json& params = Json::object()) {
    const auto id = std::to_string(++asked_);
    const auto line =
        Json{{"request_id", id}, {"method", method}, {"params", params}}.dump() + "\n";
    if (::send(fd_, line.data(), line.size(), MSG_NOSIGNAL) < 0) return nullptr;
    return Json::parse(read_line(), nullptr, false);
  }

  /// True when the other side closes within ten seconds.
  bool is_closed() {
    while (fill()) {
    }
    return at_end_;
  }

 private:
  std::string read_line() {
    std::size_t end = 0;
    while ((end = text_.find('\n')) == std::string::npos) {
      if (!fill()) return "null";
    }
    auto line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return line;
  }

  bool fill() {
    pollfd ready = {fd_, POLLIN, 0};
    if (::poll(&ready, 1, 10'000) <= 0) return false;
    char bytes[4096] = {};
    const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
    at_end_ = got <= 0;
    if (got > 0) text_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_ = -1;
  bool is_open_ = false;
  bool at_end_ = false;
  int asked_ = 0;
  std::string text_ = {};
};

bool is_well(const Json& answer) {
  return answer.is_object() && answer.value("ok", false);
}

/// What came of a command; empty: it was not carried out.
std::string status_of(const Json& answer) {
  return is_well(answer) ? answer.at("result").value("status", "") : std::string();
}

class RunSocket : public testing::Test {
 protected:
  std::string tree(const std::string& sections = {}) {
    return folder_.write("tree.yaml",
                         "supervisor: {name: tiny}\n" + sections +
                             "\nchildren:\n  - {name: a, command: [sleep, infinity]}\n");
  }
  std::string dashboard(const std::string& more = {}) {
    return "dashboard: {path: " + path_ + more + "}";
  }
  [[nodiscard]] bool is_there() const {
    struct stat found = {};
    return ::lstat(path_.c_str(), &found) == 0;
  }
  [[nodiscard]] bool answers() const {
    return eventually([&] {
      PlainClient client(path_);
      return client.is_open() && is_well(client.ask("hello"));
    });
  }

  TempFolder folder_;
  std::string path_ = folder_.path("s.sock");
};

TEST_F(RunSocket, AnswersOnASocketOfItsUserAloneAndRemovesItAtTheEnd) {
  RunningProgram program(folder_, {"run", tree(dashboard()), "--log-format", "text"});
  ASSERT_TRUE(program.wait_for_err("listening on " + path_ + " as tiny")) << program.err();
  struct stat found = {};
  ASSERT_EQ(::lstat(path_.c_str(), &found), 0);
  EXPECT_TRUE(S_ISSOCK(found.st_mode));
  EXPECT_EQ(found.st_mode & 07777U, 0600U);

  PlainClient client(path_);
  ASSERT_TRUE(client.is_open());
  const auto hello = client.ask("hello");
  ASSERT_TRUE(is_well(hello)) << hello;
  EXPECT_EQ(hello["result"]["target_id"], "tiny");
  EXPECT_EQ(hello["result"]["pid"], program.pid());
  EXPECT_EQ(hello["result"]["protocol_version"], "supervisor-ipc.v1");

  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0) << program.err();
  EXPECT_TRUE(client.is_closed());
  EXPECT_FALSE(is_there());
}

TEST_F(RunSocket, ASecondRunIsRefusedBeforeItStartsAnything) {
  RunningProgram first(folder_, {"run", tree(dashboard())});
  ASSERT_TRUE(answers()) << first.err();
  const auto witness = folder_.path("started");
  const auto other =
      folder_.write("other.yaml", dashboard() + "\nchildren:\n  - {name: b, command: [touch, " +
                                      witness + "]}\n");
  RunningProgram second(folder_, {"run", other, "--log-format", "text"});
  EXPECT_EQ(second.wait(), 8) << second.err();
  EXPECT_THAT(second.err(), HasSubstr(path_));
  EXPECT_NE(::access(witness.c_str(), F_OK), 0) << "something was started";
  EXPECT_TRUE(answers()) << "the first one goes on";
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait(), 0);
}

TEST_F(RunSocket, WhatAKilledRunLeavesIsReplaced) {
  {
    RunningProgram killed(folder_, {"run", tree(dashboard())});
    ASSERT_TRUE(answers()) << killed.err();
    killed.signal(SIGKILL);
    EXPECT_EQ(killed.wait(), 128 + SIGKILL);
  }
  EXPECT_TRUE(is_there());
  RunningProgram next(folder_, {"run", tree(dashboard())});
  EXPECT_TRUE(answers()) << next.err();
  next.signal(SIGTERM);
  EXPECT_EQ(next.wait(), 0);
  EXPECT_FALSE(is_there());
}

TEST_F(RunSocket, TheCommandLineTurnsItOnAndOff) {
  {
    RunningProgram off(
        folder_, {"run", tree(dashboard()), "--no-socket", "--events", folder_.path("events")});
    ASSERT_TRUE(eventually([&] {
      return read_file(folder_.path("events")).find("tree_started") != std::string::npos;
    })) << off.err();
    EXPECT_FALSE(is_there());
    off.signal(SIGTERM);
    EXPECT_EQ(off.wait(), 0);
  }
  RunningProgram on(folder_, {"run", "--socket=" + path_, tree()});
  EXPECT_TRUE(answers()) << on.err();
}

TEST_F(RunSocket, LiesInTheRuntimeFolderWhereNobodySaysWhere) {
  path_ = folder_.path("espalier/tiny.sock");
  const std::map<std::string, std::string> environment{{"XDG_RUNTIME_DIR", folder_.path("")}};
  struct Case {
    std::string section = {};
    std::vector<std::string> before = {};
    std::vector<std::string> after = {};
  };
  for (const auto& c : {Case{.section = "dashboard: {}"}, Case{.after = {"--socket"}},
                        Case{.before = {"--socket"}}}) {
    std::vector<std::string> arguments{"run"};
    arguments.insert(arguments.end(), c.before.begin(), c.before.end());
    arguments.push_back(tree(c.section));
    arguments.insert(arguments.end(), c.after.begin(), c.after.end());
    RunningProgram program(folder_, arguments, environment);
    EXPECT_TRUE(answers()) << program.err();
    program.signal(SIGTERM);
    EXPECT_EQ(program.wait(), 0);
  }
}

TEST_F(RunSocket, WhatIsNoSocketOfOursIsLeftAloneAndSaid) {
  const auto precious = folder_.write("s.sock", "precious");
  for (const auto& [path, told] : std::map<std::string, std::string>{
           {precious, precious},
           {folder_.path("none/s.sock"), folder_.path("none")},
           {folder_.path(std::string(120, 'x')), " bytes, and at most 107"}}) {
    RunningProgram program(folder_, {"run", tree(), "--socket=" + path, "--log-format", "text"});
    EXPECT_EQ(program.wait(), 1) << path;
    EXPECT_THAT(program.err(), AllOf(HasSubstr(told), Not(HasSubstr("starting")))) << path;
  }
  EXPECT_EQ(read_file(precious), "precious");
}

TEST_F(RunSocket, AnAuditFileThatCannotBeKeptIsSaidBeforeAnythingStarts) {
  RunningProgram program(folder_,
                         {"run", tree(dashboard(", security: {audit_file: /no/such/folder/audit}")),
                          "--log-format", "text"});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_THAT(program.err(), HasSubstr("/no/such/folder/audit"));
  EXPECT_FALSE(is_there());
}

TEST_F(RunSocket, CommandsAreReadAsAFileIsRead) {
  RunningProgram program(folder_,
                         {"run", tree(dashboard(", security: {allowed_commands: [sleep]}"))});
  ASSERT_TRUE(answers()) << program.err();
  PlainClient client(path_);
  const auto add = [&](const Json& child) {
    return client.ask("command.add_child", {{"path", "/"},
                                            {"child", child},
                                            {"requested_by", "test"},
                                            {"reason", "to see"},
                                            {"confirmed", true}});
  };
  const auto added = add({{"name", "b"}, {"command", {"sleep", "infinity"}}});
  EXPECT_EQ(status_of(added), "completed") << added;
  EXPECT_THAT(add({{"name", "c"}, {"comand", {"sleep"}}, {"command", {"sleep", "1"}}}).dump(),
              AllOf(HasSubstr("text:1:"), HasSubstr("did you mean command?")));
  EXPECT_THAT(add({{"name", "c"}, {"kind", "blocking"}, {"factory", "builtin.idel"}}).dump(),
              HasSubstr("did you mean builtin.idle?"));

  static_cast<void>(
      folder_.write("tree.yaml", "supervisor: {name: tiny}\n" + dashboard(", log_capacity: 5") +
                                     "\nchildren:\n  - {name: d, command: [sleep, infinity]}\n"));
  const auto reload = [&] {
    return client.ask("command.reload",
                      {{"requested_by", "test"}, {"reason", "to see"}, {"confirmed", true}});
  };
  const auto done = reload();
  EXPECT_EQ(status_of(done), "completed") << done;
  EXPECT_TRUE(program.wait_for_err("what dashboard says holds from the next start"));
  static_cast<void>(folder_.write("tree.yaml", "children:\n  - {name: d, comand: [x]}\n"));
  EXPECT_THAT(reload().dump(), HasSubstr("tree.yaml:2:"));
}

TEST_F(RunSocket, OutputIsKeptForWhoeverAsks) {
  const auto file = folder_.write(
      "tree.yaml", dashboard() +
                       "\nchildren:\n  - {name: a, command: [sh, -c, \"echo here I am; sleep "
                       "1000\"]}\n");
  RunningProgram program(folder_, {"run", file});
  ASSERT_TRUE(answers()) << program.err();
  EXPECT_TRUE(eventually([&] {
    PlainClient client(path_);
    return client.ask("logs.tail").dump().find("here I am") != std::string::npos;
  }));
}

TEST_F(RunSocket, ATreeFromStandardInputCannotBeReadAgain) {
  const auto file = tree(dashboard());
  RunningProgram program(folder_, {"run", "-", "--log-format", "text"}, {}, file);
  ASSERT_TRUE(answers()) << program.err();
  PlainClient client(path_);
  EXPECT_THAT(
      client.ask("command.reload", {{"requested_by", "t"}, {"reason", "t"}, {"confirmed", true}})
          .dump(),
      HasSubstr("standard input"));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
}

}  // namespace
}  // namespace espalier::cli
