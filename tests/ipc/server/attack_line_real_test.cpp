// Attacks by what one sends: endless lines, slow lines, broken JSON, words for a terminal.
#include "ipc/server/server_fixture.hpp"

#include <thread>

namespace espalier::ipc::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AttackByLine : public ServerFixture {};

// N7: a line of 64 MiB. What is kept of it does not grow past the limit.
TEST_F(AttackByLine, ALineWithoutAnEnd) {
  serve();
  WireClient{path()}.ask(request("1", "hello"));
  const auto sent_file = folder_ / "sent";
  const auto attack = [&] {
    Helper attacker{[&] {
      WireClient client{path()};
      const std::string piece(64UL * 1024, 'x');
      std::size_t sent = 0;
      while (sent < 64UL << 20U) {
        const auto count = client.send(piece);
        sent += count;
        if (count < piece.size()) break;
      }
      write_file(sent_file, std::to_string(sent));
      const auto line = client.line();
      if (!line || code_of(*line) != "line_too_long") return 1;
      return client.closes() ? 0 : 2;
    }};
    return attacker.wait();
  };
  EXPECT_EQ(attack(), 0);  // The first one also brings in the code that answers it.
  const auto before = rss_of_this_process();
  EXPECT_EQ(attack(), 0);
  const auto grown = rss_of_this_process() - std::min(before, rss_of_this_process());
  const auto sent = std::stoul(content_of(sent_file));
  EXPECT_LT(sent, 2UL << 20U) << "it was let send on after the limit";
  EXPECT_LT(grown, 256UL * 1024);
  EXPECT_EQ(code_of(WireClient{path()}.ask(request("2", "hello"))), "ok");
  std::printf("endless line: %zu KiB taken, memory grew by %zu KiB\n", sent / 1024, grown / 1024);
}

TEST_F(AttackByLine, TheLimitIsExact) {
  serve();
  for (const int over : {0, 1}) {
    WireClient client{path()};
    auto line = request("1", "hello");
    line.append((64UL * 1024) + static_cast<std::size_t>(over) - line.size(), ' ');
    EXPECT_EQ(code_of(client.ask(line)), over == 0 ? "ok" : "line_too_long");
    EXPECT_EQ(client.closes(over == 0 ? 50ms : 2s), over != 0);
  }
}

// N8: 300 connections, each a byte a second of a line that never ends.
TEST_F(AttackByLine, ThreeHundredLinesThatNeverEnd) {
  auto spec = generous(path());
  spec.security.line_timeout = 2s;
  serve(spec);
  const auto in_peace = round_trips_in_peace(path(), 1000);
  const auto done = folder_ / "done";
  Helper attacker{[&] {
    std::vector<WireClient> slow;
    for (int i = 0; i < 300; ++i)
      slow.emplace_back(path());
    const auto begin = WireClient::Clock::now();
    for (int second = 0; second < 2; ++second) {
      for (auto& client : slow)
        if (client.send("{") != 1) return 1;  // Closed too early.
      std::this_thread::sleep_for(900ms);
    }
    for (auto& client : slow) {
      const auto line = client.line();
      if (!line || code_of(*line) != "too_slow" || !client.closes()) return 2;
    }
    write_file(done, "");
    return WireClient::Clock::now() - begin < 4s ? 0 : 3;
  }};
  std::vector<double> attacked;
  while (!std::filesystem::exists(done)) {
    const auto more = round_trips(path(), 100);
    attacked.insert(attacked.end(), more.begin(), more.end());
    if (more.empty() || attacked.size() > 1'000'000) break;
  }
  EXPECT_EQ(attacker.wait(), 0);
  std::sort(attacked.begin(), attacked.end());
  expect_served("300 slow lines", in_peace, attacked);
}

// N11: each is answered with a typed error, and the connection lives.
TEST_F(AttackByLine, WhatIsNoRequest) {
  serve();
  WireClient client{path()};
  const auto with = [](const std::string& value) {
    return R"({"request_id":"x","method":"state","params":{"path":)" + value + "}}";
  };
  const std::string deep = std::string(30'000, '[') + std::string(30'000, ']');
  const std::pair<const char*, std::string> cases[] = {
      {"nesting", deep},
      {"nesting in params", with(deep.substr(0, 100) + std::string(100, ']'))},
      {"objects",
       [] {
         std::string text;
         for (int i = 0; i < 10'000; ++i)
           text += "{\"a\":";
         return text;
       }()},
      {"1e999", with("1e999")},
      {"-1e999", R"({"request_id":"x","method":"state","params":{"depth":-1e999}})"},
      {"same key twice", R"({"request_id":"x","method":"hello","method":"command.reload"})"},
      {"NUL", std::string{"{\"request_id\":\"x\",\"method\":\"he\0llo\"}", 35}},
      {"NUL first", std::string{"\0", 1} + request("x", "hello")},
      {"lone surrogate", with(R"("\ud800")")},
      {"not UTF-8", with("\"\xff\xfe\"")},
      {"overlong", with("\"\xc0\xaf\"")},
      {"BOM", "\xef\xbb\xbf" + request("x", "hello")},
      {"two values", request("x", "hello") + request("y", "hello")},
      {"no object", "[1,2,3]"},
      {"text", "GET / HTTP/1.1"},
      {"cut off", R"({"request_id":"x","meth)"},
      {"huge number", R"({"request_id":99999999999999999999999,"method":"hello"})"},
      {"unknown field", R"({"request_id":"x","method":"hello","admin":true})"},
      {"unknown parameter", R"({"request_id":"x1","method":"hello","params":{"clien":"x"}})"},
      {"no method", R"({"request_id":"x"})"},
      {"method is no text", R"({"request_id":"x","method":["hello"]})"},
      {"long id", request(std::string(129, 'x'), "hello")},
      {"control character", "{\"request_id\":\"\x1b[2J\",\"method\":\"hello\"}"},
  };
  for (const auto& [what, line] : cases) {
    const auto answer = client.ask(line);
    EXPECT_THAT(code_of(answer),
                ::testing::AnyOf("invalid_json", "invalid_request", "invalid_params"))
        << what << ": " << answer.substr(0, 300);
    EXPECT_THAT(answer, Not(HasSubstr("\x1b"))) << what;
  }
  EXPECT_EQ(code_of(client.ask(request("crlf", "hello") + "\r")), "ok");
  client.send("\n\n\n");
  EXPECT_EQ(code_of(client.ask(request("end", "hello"))), "ok");
}

// N16: words that would forge a log line or drive a terminal stay inside their JSON text.
TEST_F(AttackByLine, WordsForATerminal) {
  auto spec = generous(path());
  spec.security.audit_file = folder_ / "audit";
  serve(spec);
  WireClient client{path()};
  const auto answer = client.ask(request(
      "1", "command.restart_child",
      R"({"path":"/a","requested_by":"eve\u001b[31m\r","reason":"x\n{\"decision\":\"accepted\"}\u0007\u202e"})"));
  EXPECT_THAT(answer, Not(HasSubstr("\x1b")));
  const auto unknown = client.ask(
      request("2", "command.restart_child",
              R"({"path":"/\u001b]0;owned\u0007\nroot: ok","requested_by":"eve","reason":"x"})"));
  EXPECT_NE(code_of(unknown), "ok");
  EXPECT_THAT(unknown, Not(HasSubstr("\x1b")));
  const auto audit = content_of(folder_ / "audit");
  EXPECT_THAT(audit, Not(HasSubstr("\x1b")));
  EXPECT_THAT(audit, Not(HasSubstr("\r")));
  std::istringstream lines{audit};
  std::string line;
  std::size_t count = 0;
  while (std::getline(lines, line)) {
    ++count;
    EXPECT_EQ(parsed(line)["sequence"], count);
  }
  EXPECT_GE(count, 1u);
  // A name of a megabyte is a line that is too long, before it is a name.
  const auto big = client.ask(
      request("3", "command.add_child", R"({"path":"/)" + std::string(1UL << 20U, 'x') + "\"}"));
  EXPECT_EQ(code_of(big), "line_too_long");
}

}  // namespace
}  // namespace espalier::ipc::testing
