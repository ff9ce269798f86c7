#include "espalier/cli/reloader.hpp"

#include "espalier/cli/commands.hpp"
#include "espalier/cli/host_check.hpp"

#include <time.h>

#include <cstdint>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

std::string monotonic_microseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000);
}

}  // namespace

Reloader::Reloader(const sv::SupervisorHandle& handle, const SystemdNotifier& notifier,
                   std::string file, sv::ObservabilitySpec observability, Tell tell)
    : handle_(handle),
      notifier_(notifier),
      file_(std::move(file)),
      observability_(std::move(observability)),
      tell_(std::move(tell)) {}

void Reloader::start() {
  if (busy_.exchange(true)) {
    tell_(sv::Severity::warning, "reload: the one before is still under way; send SIGHUP again");
    return;
  }
  wait();
  thread_ = std::thread([this] {
    notifier_.send("RELOADING=1\nMONOTONIC_USEC=" + monotonic_microseconds());
    reload();
    notifier_.send("READY=1");
    busy_ = false;
  });
}

void Reloader::wait() {
  if (thread_.joinable()) thread_.join();
}

void Reloader::reload() {
  if (file_ == "-") {
    tell_(sv::Severity::warning,
          "reload: the tree came from standard input, which cannot be read again");
    return;
  }
  auto config = load_tree(file_);
  const auto problems = config ? check_host(*config) : config.error();
  for (const sv::ConfigProblem& problem : problems)
    tell_(sv::Severity::error, "reload: " + problem.to_string());
  if (!problems.empty()) {
    tell_(sv::Severity::error, "reload refused; the tree goes on as it is");
    return;
  }
  for (const sv::ConfigProblem& warning : config->warnings)
    tell_(sv::Severity::warning, warning.to_string());
  if (config->observability != observability_) {
    tell_(sv::Severity::warning, "reload: what observability says holds from the next start");
  }
  const auto result = handle_.reload(config->tree, {"signal", "SIGHUP: reload of " + file_});
  if (!result) {
    tell_(sv::Severity::error, "reload: " + result.error().message);
    return;
  }
  for (const std::string& step : result->plan)
    tell_(sv::Severity::info, "reload: " + step);
  tell_(sv::Severity::info, result->plan.empty() ? "reload: nothing to do" : "reload: done");
}

}  // namespace espalier::cli
