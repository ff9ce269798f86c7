// What a run tells of itself: in spans, and of what keeps or reads its events.
#include "cli/remote_fixture.hpp"
#include "espalier/cli/exit_codes.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <set>

namespace espalier::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsSupersetOf;

class RunWatchedTest : public RemoteTest {
 protected:
  // All spans of a file, after the end of the tree.
  std::vector<json> spans_of(const std::string& path) {
    std::vector<json> all;
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
      const auto request = json::parse(line);
      for (const auto& span : request["resourceSpans"][0]["scopeSpans"][0]["spans"])
        all.push_back(span);
    }
    return all;
  }
  void start_file(const std::string& text) {
    file_ = folder_.write("tree.yaml", text);
    tree_ = std::make_unique<RunningProgram>(
        folder_, std::vector<std::string>{"run", file_, "--log-format", "text"});
    ASSERT_TRUE(eventually([&] { return sh("$E ping").code == 0; }))
        << tree_->err() << sh("$E ping").err;
  }
};

TEST_F(RunWatchedTest, AFailureIsOneTraceThatEventsNameToo) {
  const auto path = folder_.path("spans");
  start_file("observability: {traces: {file: " + path + "}}\n" + tree_text(failing));
  ASSERT_TRUE(eventually([&] {
    return sh("$E events --type child_quarantined").out.find("quarantined") != std::string::npos;
  }));
  const auto events = sh("$E events --type restart_decided -o ndjson -n 1").out;
  tree_->signal(SIGTERM);
  static_cast<void>(tree_->wait());
  std::set<std::string> names;
  std::set<std::string> decisions;
  for (const auto& span : spans_of(path)) {
    names.insert(span["name"].get<std::string>());
    if (span["name"] == "decision") decisions.insert(span["traceId"].get<std::string>());
  }
  EXPECT_THAT(names, IsSupersetOf({"tree_start", "start", "attempt", "decision", "shutdown"}));
  EXPECT_EQ(decisions.size(), 4u) << "three restarts, and the end of them";
  EXPECT_TRUE(decisions.contains(json::parse(events).at("correlation_id").get<std::string>()));
}

TEST_F(RunWatchedTest, AWrongAddressIsAFaultOfTheFile) {
  const auto file = folder_.write(
      "tree.yaml", "observability:\n  traces: {endpoint: 'https://otel'}\n" + tree_text(children));
  const auto outcome = sh("$E check " + file);
  EXPECT_EQ(outcome.code, exit_config_invalid);
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr("tree.yaml:2:"));
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr("TLS"));
}

TEST_F(RunWatchedTest, AJournalThatCannotBeWrittenIsAnEventAndAFinding) {
  const auto journal = folder_.path("no-folder");
  start_file("observability: {journal: {path: " + journal + "}}\n" + tree_text(children));
  ASSERT_TRUE(
      eventually([&] { return sh("ls " + journal).out.find(".ndjson") != std::string::npos; }));
  expect_code("rm -r " + journal + " && touch " + journal, 0);
  expect_code("$E restart /web --yes --reason test", exit_done);
  EXPECT_TRUE(eventually([&] {
    return sh("$E events --type journal_error").out.find("no-folder") != std::string::npos;
  })) << sh("$E events").out;
  const auto found = sh("$E diagnose -o ndjson");
  EXPECT_EQ(found.code, exit_unwell);
  EXPECT_THAT(found.out, HasSubstr("\"code\":\"journal_error\""));
  expect_code("$E restart /web --yes --reason test", exit_done);
}

// It asks for events and then reads nothing.
class SilentReader {
 public:
  explicit SilentReader(const std::string& socket) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    socket.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string text = R"({"request_id":"1","method":"hello","params":{}})"
                             "\n"
                             R"({"request_id":"2","method":"events.subscribe","params":{}})"
                             "\n";
    EXPECT_EQ(write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  ~SilentReader() { close(fd_); }
  SilentReader(const SilentReader&) = delete;
  SilentReader& operator=(const SilentReader&) = delete;

 private:
  int fd_;
};

TEST_F(RunWatchedTest, AReaderThatTakesNothingIsToldOfAndFound) {
  start_file(
      "backpressure: {strategy: sample_and_audit, warn_threshold_pct: 10, "
      "critical_threshold_pct: 20}\n" +
      tree_text(R"(
  - name: endless
    restart_limit: {max_restarts: unlimited}
    children:
      - name: busy
        kind: blocking
        factory: builtin.flaky
        params: {after: 1ms}
        restart: permanent
        backoff: {initial: 1ms, max: 1ms, jitter: none}
        child_restart_limit: {max_restarts: unlimited}
)"));
  const SilentReader reader{socket_};
  EXPECT_TRUE(eventually([&] {
    return sh("$E events --type backpressure_alert").out.find("level critical") !=
           std::string::npos;
  })) << sh("$E events").out;
  EXPECT_TRUE(eventually([&] {
    return sh("$E diagnose").out.find("a reader of events is too slow") != std::string::npos;
  })) << sh("$E diagnose").out;
}

}  // namespace
}  // namespace espalier::cli
