// The server on a real tree: what the wire shows, how it begins and how it ends.
#include "espalier/ipc/server/runtime_folder.hpp"
#include "ipc/server/server_fixture.hpp"

#include <sys/resource.h>

#include <set>

namespace espalier::ipc::testing {
namespace {

using ::testing::HasSubstr;

class ServerTest : public ServerFixture {};

TEST_F(ServerTest, SaysWhoItIs) {
  serve();
  WireClient client{path()};
  const auto answer = parsed(client.ask(request("1", "hello")));
  EXPECT_EQ(answer["request_id"], "1");
  const auto& result = answer["result"];
  EXPECT_EQ(result["target_id"], "target");
  EXPECT_EQ(result["version"], "1.2.3");
  EXPECT_EQ(result["pid"], ::getpid());
  EXPECT_GT(result["epoch"], 0);
  EXPECT_EQ(target_->server->path(), path());
  EXPECT_EQ(target_->server->target_id(), "target");
}

TEST_F(ServerTest, ANameThatIsTooLongForClientsIsRefused) {
  auto spec = generous(path());
  spec.target_id = std::string(65, 'x');
  const LiveTarget refused{spec};
  EXPECT_FALSE(refused.server);
  EXPECT_EQ(refused.problem.kind, ServerError::Kind::refused);
  EXPECT_THAT(refused.problem.message, HasSubstr("dashboard.target_id"));
  spec.target_id.pop_back();
  const LiveTarget taken{spec};
  EXPECT_TRUE(taken.server) << taken.problem.message;
}

TEST_F(ServerTest, TheLogSaysOnceThatTheAuditFails) {
  serve();
  auto told = std::make_shared<std::vector<std::string>>();  // On the server's thread.
  ServerOptions options;
  options.spec = generous(folder_ / "audited");
  options.spec.security.audit_file = folder_ / "audit";
  options.tell = [told](sv::Severity, const std::string& text) { told->push_back(text); };
  auto server = Server::start(*target_->handle, options);
  ASSERT_TRUE(server) << server.error().message;
  const auto restart = [&](const std::string& id) {
    return code_of(WireClient{folder_ / "audited"}.ask(request(
        id, "command.restart_child", R"({"path":"/a","requested_by":"me","reason":"to see"})")));
  };
  EXPECT_EQ(restart("1"), "ok");
  std::filesystem::remove(folder_ / "audit");
  EXPECT_EQ(restart("2"), "audit_unavailable");
  EXPECT_EQ(restart("3"), "audit_unavailable");
  server->reset();
  ASSERT_EQ(told->size(), 1u);
  EXPECT_THAT(told->front(), HasSubstr("cannot be written, so commands are refused"));
}

TEST_F(ServerTest, ShowsTheTreeAndSteersIt) {
  serve();
  WireClient client{path()};
  const auto state = parsed(client.ask(request("1", "state")));
  EXPECT_EQ(state["result"]["snapshot"]["nodes"].size(), 3u);
  const auto answer = parsed(client.ask(request(
      "2", "command.restart_child", R"({"path":"/a","requested_by":"me","reason":"to see"})")));
  EXPECT_EQ(answer["result"]["status"], "completed") << answer.dump();
  EXPECT_EQ(generation_of("/a"), 2u);
  EXPECT_EQ(generation_of("/b"), 1u);
}

TEST_F(ServerTest, AManyRequestsInOneWriteAreAllAnsweredInOrder) {
  serve();
  WireClient client{path()};
  std::string text;
  for (int i = 0; i < 500; ++i)
    text += request(std::to_string(i), "ping") + "\n";
  ASSERT_EQ(client.send(text), text.size());
  for (int i = 0; i < 500; ++i) {
    const auto line = client.line();
    ASSERT_TRUE(line) << i;
    ASSERT_EQ(parsed(*line)["request_id"], std::to_string(i));
  }
}

TEST_F(ServerTest, HandsOutEventsAsTheyHappen) {
  serve();
  WireClient follower{path()};
  EXPECT_EQ(code_of(follower.ask(request("1", "events.subscribe"))), "ok");
  WireClient other{path()};
  EXPECT_EQ(code_of(other.ask(request("1", "command.restart_child",
                                      R"({"path":"/a","requested_by":"me","reason":"to see"})"))),
            "ok");
  std::set<std::string> types;
  while (types.count("child_ready") == 0) {
    const auto line = follower.line();
    ASSERT_TRUE(line);
    const auto push = parsed(*line);
    if (push["type"] == "event") types.insert(push["event"]["type"].get<std::string>());
  }
  EXPECT_EQ(types.count("child_stopping"), 1u);
}

TEST_F(ServerTest, HandsOutLogLinesAsTheyCome) {
  serve();
  target_->logs->write({.path = "/a", .generation = 1, .text = "before"});
  WireClient client{path()};
  const auto tail = parsed(client.ask(request("1", "logs.tail", R"({"follow":true})")));
  EXPECT_EQ(tail["result"]["lines"].back()["message"], "before");
  target_->logs->write({.path = "/a", .generation = 1, .is_stderr = true, .text = "after"});
  const auto line = client.line();
  ASSERT_TRUE(line);
  EXPECT_EQ(parsed(*line)["line"]["message"], "after");
  EXPECT_EQ(parsed(*line)["line"]["stream"], "stderr");
}

// `echo REQUEST | socat - UNIX:PATH` closes its side as soon as it has asked.
TEST_F(ServerTest, AnswersAPeerThatHasSaidAllItWillSay) {
  serve();
  WireClient client{path()};
  client.send(request("1", "command.restart_child",
                      R"({"path":"/a","requested_by":"me","reason":"to see"})") +
              "\n");
  client.end_input();
  const auto line = client.line();
  ASSERT_TRUE(line);
  EXPECT_EQ(code_of(*line), "ok");
  EXPECT_TRUE(client.closes(2s));
}

TEST_F(ServerTest, FollowsOnForAPeerThatHasSaidAllItWillSay) {
  serve();
  WireClient client{path()};
  client.send(request("1", "logs.tail", R"({"follow":true})") + "\n");
  client.end_input();
  ASSERT_TRUE(client.line());
  std::this_thread::sleep_for(50ms);
  target_->logs->write({.path = "/a", .text = "more"});
  const auto line = client.line();
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, HasSubstr("more"));
}

TEST_F(ServerTest, TellsReadersThatTheTreeHasEnded) {
  serve();
  WireClient follower{path()};
  EXPECT_EQ(code_of(follower.ask(request("1", "events.subscribe"))), "ok");
  WireClient silent{path()};
  EXPECT_EQ(code_of(silent.ask(request("1", "hello"))), "ok");
  ASSERT_TRUE(target_->handle->shutdown({"test", "enough seen"}));
  std::string last;
  bool ended = false;
  while (const auto line = follower.line()) {
    last = *line;
    ended = ended || parsed(last)["type"] == "end";
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(parsed(last)["type"], "bye") << last;
  const auto bye = silent.line();
  ASSERT_TRUE(bye);
  EXPECT_THAT(*bye, HasSubstr("enough seen"));
  EXPECT_TRUE(silent.closes());
  WireClient late{path()};
  const auto refusal = late.line();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(code_of(*refusal), "gone");
}

TEST_F(ServerTest, ItsEndClosesConnectionsAndRemovesTheSocket) {
  serve();
  WireClient client{path()};
  EXPECT_EQ(code_of(client.ask(request("1", "hello"))), "ok");
  target_->server.reset();
  EXPECT_TRUE(client.closes());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_TRUE(target_->handle->is_alive());
}

TEST_F(ServerTest, ACommandMayOutliveTheServer) {
  serve();
  for (int i = 0; i < 20; ++i) {
    WireClient client{path()};
    client.send(request("1", "command.restart_child",
                        R"({"path":"/a","requested_by":"me","reason":"to see"})") +
                "\n");
    target_->server.reset();
    ServerOptions options;
    options.spec = generous(path());
    auto again = Server::start(*target_->handle, std::move(options));
    ASSERT_TRUE(again) << again.error().message;
    target_->server = std::move(*again);
  }
  EXPECT_TRUE(target_->handle->is_alive());
}

// N3
TEST_F(ServerTest, ASecondTargetOnThePathIsRefusedAndTheFirstUnharmed) {
  serve();
  WireClient client{path()};
  const LiveTarget second{generous(path())};
  EXPECT_FALSE(second.server);
  EXPECT_EQ(second.problem.kind, ServerError::Kind::in_use);
  EXPECT_THAT(second.problem.message, HasSubstr(path()));
  EXPECT_EQ(code_of(client.ask(request("1", "hello"))), "ok");
  EXPECT_EQ(code_of(WireClient{path()}.ask(request("1", "hello"))), "ok");
}

// N2
TEST_F(ServerTest, AfterKillMinusNineTheNextStartReplacesTheSocket) {
  const auto ready = folder_ / "ready";
  Helper first{[&] {
    const LiveTarget target{generous(path())};
    if (target.server) write_file(ready, "");
    ::pause();
    return 1;
  }};
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(ready); }));
  EXPECT_EQ(code_of(WireClient{path()}.ask(request("1", "hello"))), "ok");
  first.kill();
  ASSERT_TRUE(S_ISSOCK(look_at(path()).st_mode));
  EXPECT_FALSE(WireClient{path()}.connected());
  serve();
  EXPECT_EQ(parsed(WireClient{path()}.ask(request("1", "hello")))["result"]["pid"], ::getpid());
}

TEST_F(ServerTest, RefusesReloadAndNewChildrenWhereTheProgramReadsNone) {
  serve();
  WireClient client{path()};
  const auto answer = client.ask(
      request("1", "command.reload",
              R"({"requested_by":"me","reason":"to see","confirmed":true,"text":"children: []"})"));
  EXPECT_EQ(code_of(answer), "wrong_state") << answer;
}

TEST_F(ServerTest, SleepsWhileNobodyIsConnected) {
  serve();
  { EXPECT_EQ(code_of(WireClient{path()}.ask(request("1", "hello"))), "ok"); }
  std::this_thread::sleep_for(500ms);  // What was due for the connection is over.
  const auto switches = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
  };
  const auto before = switches();
  std::this_thread::sleep_for(1s);
  EXPECT_LT(switches() - before, 25);  // Threads of the actor system included.
}

TEST(RuntimeFolder, IsThatOfTheUser) {
  const char* before = std::getenv("XDG_RUNTIME_DIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  EXPECT_EQ(runtime_folder(), "/run/user/7/espalier");
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(runtime_folder(),
            ::geteuid() == 0 ? "/run/espalier" : "/tmp/espalier-" + std::to_string(::geteuid()));
  if (before != nullptr) ::setenv("XDG_RUNTIME_DIR", kept.c_str(), 1);
}

TEST(RuntimeFolder, IsMadeForItsOwnerAlone) {
  const Folder folder;
  EXPECT_EQ(make_runtime_folder(folder / "x"), "");
  EXPECT_EQ(look_at(folder / "x").st_mode & 07777U, 0700U);
  EXPECT_EQ(make_runtime_folder(folder / "x"), "");
}

TEST(RuntimeFolder, IsNotTakenFromAStranger) {
  const Folder folder;
  ASSERT_EQ(::mkdir((folder / "real").c_str(), 0700), 0);
  ASSERT_EQ(::symlink((folder / "real").c_str(), (folder / "link").c_str()), 0);
  EXPECT_THAT(make_runtime_folder(folder / "link"), HasSubstr("cannot be used"));
  ASSERT_EQ(::chmod((folder / "real").c_str(), 0770), 0);
  EXPECT_THAT(make_runtime_folder(folder / "real"), HasSubstr("written to by others"));
  write_file(folder / "file", "");
  EXPECT_THAT(make_runtime_folder(folder / "file"), HasSubstr("cannot be used"));
  ESPALIER_NEEDS_ROOT();
  ASSERT_EQ(::chmod((folder / "real").c_str(), 0700), 0);
  ASSERT_EQ(::chown((folder / "real").c_str(), nobody, nobody), 0);
  EXPECT_THAT(make_runtime_folder(folder / "real"), HasSubstr("belongs to user 65534"));
}

TEST(Resources, AreThoseOfTheProcess) {
  const auto before = read_resources(::getpid());
  ASSERT_TRUE(before);
  EXPECT_GT(before->rss_bytes, 1U << 20U);
  const sv::UniqueFd one{::open("/dev/null", O_RDONLY)};
  const auto after = read_resources(::getpid());
  ASSERT_TRUE(after);
  EXPECT_EQ(after->fds.value_or(0), before->fds.value_or(0) + 1);
  EXPECT_GE(after->cpu_ms, before->cpu_ms);
  EXPECT_FALSE(read_resources(1LL << 40));
}

}  // namespace
}  // namespace espalier::ipc::testing
