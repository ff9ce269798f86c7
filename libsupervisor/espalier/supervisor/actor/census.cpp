#include "espalier/supervisor/actor/census.hpp"

#include <utility>

namespace espalier::supervisor {

void Census::actor_began() {
  const std::lock_guard lock{mutex_};
  ++actors_;
  ++actors_ever_;
}

void Census::actor_ended() {
  const std::lock_guard lock{mutex_};
  if (--actors_ == 0) changed_.notify_all();
}

std::size_t Census::actors() const {
  const std::lock_guard lock{mutex_};
  return actors_;
}

std::size_t Census::actors_ever() const {
  const std::lock_guard lock{mutex_};
  return actors_ever_;
}

Census::RunId Census::run_began(Runner runner, std::string path) {
  const std::lock_guard lock{mutex_};
  ++runs_ever_.at(static_cast<std::size_t>(runner));
  runs_.emplace(++last_run_, Entry{runner, std::move(path), std::chrono::steady_clock::now()});
  return last_run_;
}

void Census::run_abandoned(RunId id) {
  const std::lock_guard lock{mutex_};
  const auto found = runs_.find(id);
  if (found == runs_.end() || std::exchange(found->second.abandoned, true)) return;
  ++abandoned_;
  changed_.notify_all();
}

void Census::run_ended(RunId id) {
  const std::lock_guard lock{mutex_};
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  if (found->second.abandoned) --abandoned_;
  runs_.erase(found);
  changed_.notify_all();
}

std::vector<Census::Run> Census::runs(Runner runner) const {
  const std::lock_guard lock{mutex_};
  const auto now = std::chrono::steady_clock::now();
  std::vector<Run> result;
  for (const auto& [id, run] : runs_) {
    if (run.runner == runner) result.push_back({run.path, now - run.since, run.abandoned});
  }
  return result;
}

std::uint64_t Census::runs_ever(Runner runner) const {
  const std::lock_guard lock{mutex_};
  return runs_ever_.at(static_cast<std::size_t>(runner));
}

bool Census::wait_quiet(Duration limit) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit,
                           [this] { return actors_ == 0 && runs_.size() == abandoned_; });
}

}  // namespace espalier::supervisor
