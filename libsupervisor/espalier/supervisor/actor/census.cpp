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

Census::ThreadId Census::thread_began(std::string path) {
  const std::lock_guard lock{mutex_};
  threads_.emplace(++last_thread_, Entry{std::move(path), std::chrono::steady_clock::now()});
  return last_thread_;
}

void Census::thread_abandoned(ThreadId id) {
  const std::lock_guard lock{mutex_};
  const auto found = threads_.find(id);
  if (found == threads_.end() || std::exchange(found->second.abandoned, true)) return;
  ++abandoned_;
  changed_.notify_all();
}

void Census::thread_ended(ThreadId id) {
  const std::lock_guard lock{mutex_};
  const auto found = threads_.find(id);
  if (found == threads_.end()) return;
  if (found->second.abandoned) --abandoned_;
  threads_.erase(found);
  changed_.notify_all();
}

std::vector<Census::Thread> Census::threads() const {
  const std::lock_guard lock{mutex_};
  const auto now = std::chrono::steady_clock::now();
  std::vector<Thread> result;
  for (const auto& [id, t] : threads_)
    result.push_back({t.path, now - t.since, t.abandoned});
  return result;
}

std::uint64_t Census::threads_ever() const {
  const std::lock_guard lock{mutex_};
  return last_thread_;
}

bool Census::wait_quiet(Duration limit) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit,
                           [this] { return actors_ == 0 && threads_.size() == abandoned_; });
}

}  // namespace espalier::supervisor
