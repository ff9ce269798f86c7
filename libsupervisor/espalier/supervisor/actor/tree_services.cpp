#include "espalier/supervisor/actor/tree_services.hpp"

#include <utility>

namespace espalier::supervisor {

ProcessHost& TreeServices::host() {
  const std::lock_guard lock{mutex_};
  if (!host_) {
    host_ = std::make_unique<ProcessHost>(ProcessHost::Options{subreaper, guardian, open_files});
  }
  return *host_;
}

ProcessHost* TreeServices::host_if_any() {
  const std::lock_guard lock{mutex_};
  return host_.get();
}

void TreeServices::end_host() {
  std::unique_ptr<ProcessHost> host;
  const std::lock_guard lock{mutex_};
  host = std::exchange(host_, nullptr);
}

void TreeServices::publish(const Event& event) const {
  for (const auto& sink : sinks) {
    try {
      sink->publish(event);
    } catch (...) {  // Who observes a tree must not be able to end it.
    }
  }
}

}  // namespace espalier::supervisor
