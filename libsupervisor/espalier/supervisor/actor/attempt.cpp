#include "espalier/supervisor/actor/attempt.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace espalier::supervisor {

Attempt::Attempt(AttemptId id, std::shared_ptr<const ChildSpec> spec)
    : id_(std::move(id)), spec_(std::move(spec)) {}

void Attempt::report_exit(const ExitRecord& exit) {
  id_.line->send(input::ChildExited{id_.child, id_.generation, exit});
}

bool Attempt::sleep_for(Duration d) {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock{mutex};
  never_notified.wait_for(lock, stop_.get_token(), d, [] { return false; });
  return !stop_requested();
}

Duration Attempt::heartbeat_interval() const {
  return supervisor::heartbeat_interval(spec_->policy);
}

void Attempt::request_restart(const std::string& reason) {
  id_.line->send(input::ChildAsks{id_.child, id_.generation, input::Wish::restart, reason});
}

void Attempt::request_tree_shutdown(const std::string& reason) {
  id_.line->send(input::ChildAsks{id_.child, id_.generation, input::Wish::shutdown, reason});
}

void Attempt::report_ready() {
  id_.line->send(input::ChildReady{id_.child, id_.generation});
}

void Attempt::report_alive() {
  id_.line->send(input::ChildAlive{id_.child, id_.generation});
}

void Attempt::report_status(const std::string& text) {
  id_.line->send(input::ChildStatus{id_.child, id_.generation, text});
}

}  // namespace espalier::supervisor
