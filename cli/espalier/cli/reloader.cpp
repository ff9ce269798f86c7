#include "espalier/cli/reloader.hpp"

#include <malloc.h>

#include <sstream>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;

Reloader::Reloader(const sv::SupervisorHandle& handle, SystemdNotifier& notifier, std::string file,
                   const TreeSource& source, Tell tell)
    : handle_(handle),
      notifier_(notifier),
      file_(std::move(file)),
      source_(source),
      tell_(std::move(tell)) {}

void Reloader::start() {
  if (busy_.exchange(true)) {
    tell_(sv::Severity::warning, "reload: the one before is still under way; send SIGHUP again");
    return;
  }
  wait();
  thread_ = std::thread([this] {
    notifier_.reloading();
    reload();
    // The thread is a new one each time, and what it has freed stays in whichever heap the C
    // library gave it: without this a large tree takes several MiB more with each of many reloads.
    malloc_trim(0);
    notifier_.reloaded();
    busy_ = false;
  });
}

void Reloader::wait() {
  if (thread_.joinable()) thread_.join();
}

void Reloader::reload() {
  const auto tree = source_.read_tree({});
  if (!tree) {
    std::istringstream problems(tree.error());
    for (std::string line; std::getline(problems, line);)
      tell_(sv::Severity::error, "reload: " + line);
    tell_(sv::Severity::error, "reload refused; the tree goes on as it is");
    return;
  }
  const auto result = handle_.reload(*tree, {"signal", "SIGHUP: reload of " + file_});
  if (!result) {
    tell_(sv::Severity::error, "reload: " + result.error().message);
    return;
  }
  for (const std::string& step : result->plan)
    tell_(sv::Severity::info, "reload: " + step);
  tell_(sv::Severity::info, result->plan.empty() ? "reload: nothing to do" : "reload: done");
}

}  // namespace espalier::cli
