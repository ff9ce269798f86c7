#include "cli/call_app.hpp"
#include "cli/remote_nodes.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/completion.hpp"
#include "espalier/cli/remote/session.hpp"
#include "espalier/cli/remote/steer.hpp"
#include "espalier/cli/remote/verbs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace espalier::cli {
namespace {

using ipc::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const char* const nowhere = "/no/such/folder/target.sock";

TEST(Verbs, WhereNothingRunsEachSaysSoAndAnswersSeven) {
  for (const char* verb : {"status", "tree", "list", "diagnose", "logs", "events", "reload",
                           "shutdown", "snapshot", "health", "pipelines", "ping"}) {
    const Outcome outcome = call({verb, "--socket", nowhere, "--timeout", "1s"});
    EXPECT_EQ(outcome.code, exit_not_running) << verb << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(StartsWith("espalier: "), HasSubstr(nowhere))) << verb;
    EXPECT_EQ(outcome.out, "") << verb;
  }
  for (const char* verb : {"show", "why", "start", "stop", "restart", "pause", "resume",
                           "quarantine", "reset", "remove"}) {
    EXPECT_EQ(call({verb, "/a", "--socket", nowhere}).code, exit_not_running) << verb;
  }
  EXPECT_EQ(call({"wait", "/a", "--for", "ready", "--socket", nowhere}).code, exit_not_running);
  EXPECT_EQ(call({"scale", "/p", "-1", "--socket", nowhere}).code, exit_not_running);
  EXPECT_EQ(call({"version", "--remote", "--socket", nowhere}).code, exit_not_running);
}

TEST(Verbs, BadUsageIsTwoBeforeAnythingIsAsked) {
  const std::vector<std::vector<std::string>> bad = {{"show"},
                                                     {"why"},
                                                     {"wait", "/a"},
                                                     {"wait", "/a", "--for", "idle"},
                                                     {"scale", "/p"},
                                                     {"add"},
                                                     {"add", "file-without-path"},
                                                     {"apply"},
                                                     {"list", "--sort", "size"},
                                                     {"status", "-o", "xml"},
                                                     {"events", "--since", "1", "--replay", "2"},
                                                     {"completion"},
                                                     {"completion", "tcsh"},
                                                     {"restart"},
                                                     {"stop", "/a", "--all"}};
  for (const auto& arguments : bad)
    EXPECT_EQ(call(arguments).code, exit_usage) << testing::PrintToString(arguments);
  const Outcome timeout = call({"ping", "--socket", nowhere, "--timeout", "soon"});
  EXPECT_EQ(timeout.code, exit_usage);
  EXPECT_THAT(timeout.err, HasSubstr("500ms, 10s or 2m"));
}

TEST(Verbs, AFileThatIsNotThereIsAnInvalidConfiguration) {
  EXPECT_EQ(call({"apply", "/no/such.yaml", "--socket", nowhere}).code, exit_config_invalid);
  EXPECT_EQ(call({"plan", "/no/such.yaml", "--socket", nowhere}).code, exit_config_invalid);
  EXPECT_EQ(call({"add", "/no/such.yaml:/", "--socket", nowhere}).code, exit_config_invalid);
}

TEST(Verbs, CompletionOfPathsNeverFails) {
  const Outcome outcome = call({"__paths", "--socket", nowhere});
  EXPECT_EQ(outcome.code, exit_done);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST(ExitCodes, TellRefusalsApart) {
  for (const auto& [code, status] : {std::pair{ErrorCode::forbidden, exit_denied},
                                     {ErrorCode::not_found, exit_denied},
                                     {ErrorCode::stale_generation, exit_refused},
                                     {ErrorCode::conflict, exit_refused},
                                     {ErrorCode::limit_reached, exit_refused},
                                     {ErrorCode::rate_limited, exit_refused},
                                     {ErrorCode::invalid_spec, exit_config_invalid},
                                     {ErrorCode::invalid_params, exit_usage},
                                     {ErrorCode::start_failed, exit_failed},
                                     {ErrorCode::gone, exit_not_running}}) {
    EXPECT_EQ(exit_code_of(code), status) << to_string(code);
  }
  using Kind = ipc::ClientError::Kind;
  EXPECT_EQ(exit_code_of(ipc::ClientError{Kind::not_running, "", {}}), exit_not_running);
  EXPECT_EQ(exit_code_of(ipc::ClientError{Kind::timed_out, "", {}}), exit_not_running);
  EXPECT_EQ(exit_code_of(ipc::ClientError{Kind::no_permission, "", {}}), exit_denied);
  ipc::ClientError refused{Kind::refused, "no", ipc::ErrorBody{}};
  refused.refusal->code = ErrorCode::stale_generation;
  EXPECT_EQ(exit_code_of(refused), exit_refused);
}

TEST(ExitCodes, OfCommandsFollowTheirStatus) {
  ipc::CommandAnswer answer;
  EXPECT_EQ(exit_code_of(answer), exit_done);
  answer.status = ipc::CommandStatus::accepted;
  EXPECT_EQ(exit_code_of(answer), exit_done);
  answer.status = ipc::CommandStatus::timed_out;
  EXPECT_EQ(exit_code_of(answer), exit_timed_out);
  answer.status = ipc::CommandStatus::rejected;
  EXPECT_EQ(exit_code_of(answer), exit_failed);
  answer.error = ipc::ErrorBody{};
  answer.error->code = ErrorCode::conflict;
  EXPECT_EQ(exit_code_of(answer), exit_refused);
}

TEST(RenderAnswer, SaysWhatWasDoneOrWouldBe) {
  TestTerminal test;
  ipc::CommandAnswer answer;
  answer.command_id = "c1";
  answer.outcome = ipc::OutcomeInfo{};
  answer.outcome->text = "restarted\x1b[2J";
  answer.outcome->plan = {"stop /a", "start /a"};
  EXPECT_EQ(render_answer("/a", false, answer, test.terminal),
            "/a: restarted\\x1b[2J\n  stop /a\n  start /a\n");
  EXPECT_THAT(render_answer("/a", true, answer, test.terminal), StartsWith("dry run: /a: "));
  answer.status = ipc::CommandStatus::timed_out;
  EXPECT_THAT(render_answer("/a", false, answer, test.terminal),
              AllOf(HasSubstr("not done in time"), HasSubstr("c1"), HasSubstr("espalier show /a")));
}

class CompletionTest : public testing::TestWithParam<const char*> {};

TEST_P(CompletionTest, NamesVerbsOptionsAndChoices) {
  const Outcome outcome = call({"completion", GetParam()});
  EXPECT_EQ(outcome.code, exit_done);
  for (const char* word : {"status", "restart", "quarantine", "ndjson", "expected-generation",
                           "espalier __paths", "removed", "socket"}) {
    EXPECT_THAT(outcome.out, HasSubstr(word));
  }
  EXPECT_EQ(outcome.out.find("'__paths'"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Shells, CompletionTest, testing::Values("bash", "zsh", "fish"));

TEST(Completion, HasNoneForOtherShells) {
  CLI::App app;
  EXPECT_EQ(completion_script(app, "tcsh"), "");
}

}  // namespace
}  // namespace espalier::cli
