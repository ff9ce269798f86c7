#include "espalier/cli/remote/commander.hpp"

#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/steer.hpp"
#include "espalier/cli/text_cells.hpp"

#include <nlohmann/json.hpp>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

namespace espalier::cli {
namespace {

// The target's word that a command was not done in time must reach us before we stop waiting.
constexpr auto answer_slack = std::chrono::seconds{5};
constexpr auto longest_timeout = std::chrono::minutes{10};

// How bad a status is: what needs another look first stands above what only timed out.
int badness(int code) {
  static constexpr std::array<int, 9> order = {exit_done,           exit_unwell, exit_timed_out,
                                               exit_refused,        exit_denied, exit_usage,
                                               exit_config_invalid, exit_failed, exit_not_running};
  return static_cast<int>(std::find(order.begin(), order.end(), code) - order.begin());
}

}  // namespace

std::string login_name() {
  std::array<char, 4096> buffer = {};
  passwd entry = {};
  passwd* found = nullptr;
  if (getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return "uid " + std::to_string(getuid());
}

Commander::Commander(const RemoteOptions& options, const Terminal& terminal, std::string verb)
    : options_(options), terminal_(terminal), verb_(std::move(verb)), user_(login_name()) {}

bool Commander::connect() {
  const auto timeout = timeout_of(options_, "10s");
  if (!timeout) {
    fail(timeout.error());
    return false;
  }
  timeout_ = std::min<supervisor::Duration>(*timeout, longest_timeout);
  auto session = Session::open(options_);
  if (!session) {
    fail(session.error());
    return false;
  }
  session_.emplace(std::move(*session));
  return true;
}

ipc::CommandParams Commander::params(const std::string& path) const {
  ipc::CommandParams out;
  if (!path.empty()) out.path = path;
  out.requested_by = user_;
  out.reason = options_.reason.empty() ? "espalier " + verb_ + " by " + user_ : options_.reason;
  if (!options_.command_id.empty()) out.command_id = options_.command_id;
  out.expected_generation = options_.expected_generation;
  if (options_.dry_run) out.dry_run = true;
  out.timeout_ms =
      static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(timeout_).count());
  return out;
}

bool Commander::may(const std::string& question) {
  if (options_.yes || options_.dry_run) return true;
  if (!terminal_.asks) {
    fail({exit_usage, verb_ + ": " + question +
                          " Nobody can be asked here: add --yes to do it, or --dry-run to see "
                          "what it would do."});
    return false;
  }
  if (confirm(terminal_, question)) return true;
  fail({exit_failed, "nothing was changed"});
  return false;
}

// Many children are commanded faster than a target lets one connection ask: then it waits a little.
expected<Reply<ipc::CommandAnswer>, Failure> Commander::ask(const std::string& method,
                                                            const ipc::CommandParams& params) {
  constexpr int most_tries = 10;
  for (int tries = 1;; ++tries) {
    auto reply =
        session_->ask<ipc::CommandAnswer>("command." + method, params, timeout_ + answer_slack);
    if (reply || !reply.error().retry_after_ms || tries == most_tries) return reply;
    std::this_thread::sleep_for(
        std::chrono::milliseconds(std::min<std::uint64_t>(*reply.error().retry_after_ms, 5000)));
  }
}

void Commander::send(const std::string& method, const ipc::CommandParams& params,
                     const std::string& place) {
  const auto reply = ask(method, params);
  if (reply) {
    print(place, *reply);
    return;
  }
  ++sent_;
  ++failed_;
  const std::string& message = reply.error().message;
  fail({reply.error().code, message.starts_with(place) ? message : place + ": " + message});
}

void Commander::print(const std::string& place, const Reply<ipc::CommandAnswer>& reply) {
  ++sent_;
  const int code = exit_code_of(reply.value);
  if (badness(code) > badness(code_)) code_ = code;
  if (code != exit_done) ++failed_;
  if (options_.output == "ndjson") {
    terminal_.out << safe_json(reply.json) << "\n" << std::flush;
  } else if (options_.output == "json") {
    answers_.push_back(reply.json);
  } else if (code == exit_done) {
    terminal_.out << render_answer(place, options_.dry_run, reply.value, terminal_) << std::flush;
  }
  if (code != exit_done) {
    const std::string text = render_answer(place, options_.dry_run, reply.value, terminal_);
    cli::fail(terminal_, code, text);
  }
}

int Commander::finish(bool several) {
  if (options_.output == "json" && several) {
    terminal_.out << safe_json_pretty(ipc::Json(answers_)) << "\n";
  } else if (options_.output == "json" && !answers_.empty()) {
    terminal_.out << safe_json_pretty(answers_.front()) << "\n";
  } else if (several && options_.output == "text") {
    terminal_.out << verb_ << ": " << sent_ - failed_ << " of " << sent_
                  << (sent_ == 1 ? " child" : " children")
                  << (options_.dry_run ? " would do (dry run)" : " done") << "\n";
  }
  return code_;
}

int Commander::fail(const Failure& failure) {
  if (badness(failure.code) > badness(code_)) code_ = failure.code;
  return cli::fail(terminal_, failure.code, failure.message);
}

}  // namespace espalier::cli
