#include "espalier/supervisor/actor/child_protocol.hpp"

#include <caf/send.hpp>

#include <utility>

namespace espalier::supervisor {

void ReportLine::open(const caf::actor& to) {
  const std::lock_guard lock{mutex_};
  if (!closed_ && !to_) to_ = to;
}

void ReportLine::send(Input what, caf::message_priority priority) {
  const std::lock_guard lock{mutex_};
  if (!to_) return;
  if (priority == caf::message_priority::high) {
    caf::anon_send<caf::message_priority::high>(to_, Feed{std::move(what)});
  } else {
    caf::anon_send(to_, Feed{std::move(what)});
  }
}

void ReportLine::ping(Ping what) {
  const std::lock_guard lock{mutex_};
  if (to_) caf::anon_send(to_, std::move(what));
}

void ReportLine::close() {
  caf::actor last;  // Let go outside the lock: the last handle ends the actor, which closes.
  const std::lock_guard lock{mutex_};
  closed_ = true;
  last.swap(to_);
}

}  // namespace espalier::supervisor
