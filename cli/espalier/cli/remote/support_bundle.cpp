#include "espalier/cli/remote/support_bundle.hpp"

#include "espalier/cli/commands.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/facts.hpp"
#include "espalier/cli/remote/look.hpp"
#include "espalier/cli/remote/redact.hpp"
#include "espalier/supervisor/observe/json_object.hpp"
#include "espalier/supervisor/os/read_file.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace espalier::cli {
namespace {

using ipc::Json;

constexpr std::uint64_t lines_read = 1000;
constexpr std::size_t explained = 50;

std::string time_text() {
  std::string out;
  supervisor::json::append_timestamp(out, std::chrono::system_clock::now());
  return out;
}

class Bundle {
 public:
  explicit Bundle(Session& session) : session_(session) {
    out_["made_at"] = time_text();
    out_["espalier"] = ESPALIER_VERSION;
    out_["target"] = json_of(session.hello());
  }

  void add_tree() {
    add<ipc::HealthResult>("health", "health", ipc::Nothing{});
    if (const auto state = session_.state("/", {}, true)) {
      out_["state"] = state->json;
    } else {
      leave_out("state", state.error().message);
    }
    add<ipc::PipelinesResult>("pipelines", "pipelines", ipc::PipelinesParams{});
    ipc::LogsTailParams tail;
    tail.lines = lines_read;
    add<ipc::LogsTailResult>("logs", "logs.tail", tail);
    add_facts();
  }

  void add_config(const std::string& file) {
    if (file.empty()) return leave_out("config", "no --config FILE was given");
    std::ostringstream text;
    std::ostringstream problems;
    const int code = config_command(file, {text, problems});
    if (code != exit_done) return leave_out("config", problems.str());
    Json lines = Json::array();
    std::istringstream read{text.str()};
    for (std::string line; std::getline(read, line);)
      lines.push_back(line);
    out_["config"] = std::move(lines);
  }

  void add_machine() {
    Json machine = Json::object();
    utsname names = {};
    if (uname(&names) == 0) {
      machine["kernel"] = std::string{names.sysname} + " " + names.release + " " + names.machine;
    }
    machine["processors"] = std::thread::hardware_concurrency();
    for (const auto* const file : {"/proc/loadavg", "/proc/meminfo", "/proc/pressure/cpu",
                                   "/proc/pressure/io", "/proc/pressure/memory"}) {
      if (auto text = supervisor::read_file(file, most_of_a_file)) machine[file] = *text;
    }
    if (session_.hello().pid > 0) {
      const auto limits = "/proc/" + std::to_string(session_.hello().pid) + "/limits";
      if (auto text = supervisor::read_file(limits, most_of_a_file)) machine["limits"] = *text;
    }
    out_["machine"] = std::move(machine);
  }

  Json take() {
    redact_all(out_);
    out_["left_out"] = std::move(left_out_);
    return std::move(out_);
  }

 private:
  static constexpr std::size_t most_of_a_file = 64UL * 1024;

  template <class Result, class Params>
  void add(const char* part, const char* method, const Params& params) {
    auto answer = session_.ask<Result>(method, params);
    if (answer) {
      out_[part] = std::move(answer->json);
    } else {
      leave_out(part, answer.error().message);
    }
  }

  void add_facts() {
    auto facts = ask_facts(session_);
    if (!facts) return leave_out("findings, events, audit", facts.error().message);
    Json findings = Json::array();
    Json decisions = Json::object();
    for (const Finding& finding : diagnose(*facts)) {
      findings.push_back(json_of(finding));
      if (finding.path.empty() || decisions.size() >= explained) continue;
      const auto why = session_.ask<ipc::WhyResult>("why", ipc::PathParams{finding.path});
      if (why) decisions[finding.path] = why->json;
    }
    out_["findings"] = std::move(findings);
    out_["why"] = std::move(decisions);
    out_["events"] = std::move(facts->events);
    Json audit = Json::array();
    for (const ipc::AuditRecord& record : facts->audit)
      audit.push_back(json_of(record));
    out_["audit"] = std::move(audit);
  }

  void leave_out(const std::string& part, const std::string& why) {
    left_out_.push_back({{"part", part}, {"why", why}});
  }

  Session& session_;
  Json out_ = Json::object();
  Json left_out_ = Json::array();
};

// "espalier-shop-20261122T120000Z.json"
std::string usual_name(const std::string& target) {
  std::string name = "espalier-" + target + "-";
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_'; }, '_');
  for (const char c : time_text().substr(0, sizeof "2026-11-22T12:00:00" - 1)) {
    if (c != '-' && c != ':') name += c;
  }
  return name + "Z.json";
}

// The error; empty: it is written. Only its owner may read it, and nothing is overwritten.
std::string write_new(const std::string& file, std::string_view text) {
  const auto fault = [&] {
    return "cannot write \"" + file + "\": " + std::generic_category().message(errno) +
           "; name another file with --to";
  };
  const supervisor::UniqueFd fd{
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (!fd) return fault();
  while (!text.empty()) {
    const auto written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fault();
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Json support_bundle(Session& session, const std::string& config_file) {
  Bundle bundle{session};
  bundle.add_tree();
  bundle.add_config(config_file);
  bundle.add_machine();
  return bundle.take();
}

int support_bundle_verb(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error().code, session.error().message);
  const auto bundle = support_bundle(*session, options.file);
  const auto text = safe_json_pretty(bundle) + "\n";
  if (options.to == "-") {
    terminal.out << text;
    return exit_done;
  }
  const auto file = options.to.empty() ? usual_name(session->hello().target_id) : options.to;
  if (const auto why = write_new(file, text); !why.empty()) {
    return fail(terminal, exit_failed, why);
  }
  terminal.out << "wrote " << file << ", " << text.size() / 1024 << " KiB; what looks like a "
               << "secret is left out, but read it before you hand it on\n";
  for (const Json& part : bundle["left_out"]) {
    terminal.err << "left out: " << part["part"].get<std::string>() << ": "
                 << part["why"].get<std::string>() << "\n";
  }
  return exit_done;
}

}  // namespace espalier::cli
