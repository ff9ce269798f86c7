#pragma once

#include "espalier/supervisor/core/engine_io.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <future>
#include <memory>
#include <mutex>

namespace espalier::supervisor {

/// The one message a supervisor takes: from its children (running, ready, alive, extend, status,
/// exited) and from those who command it.
struct Feed {
  Input input = {};
};

/// Asks a supervisor to keep a promise when it gets to it; one that ends first breaks it.
struct Ping {
  std::shared_ptr<std::promise<void>> answer = {};
};

/// The way into a supervisor for threads that may outlive it.
///
/// The problem: a thread that cannot be ended may report long after its supervisor, and even the
/// actor system, are gone. While the line is open the supervisor is alive; once closed, whatever
/// is sent is dropped and nothing of the tree is touched.
///
/// Thread rule: every member may be called from any thread.
class ReportLine {
 public:
  /// Holds `to` until `close`. Only the first call counts, and none after `close`.
  void open(const caf::actor& to);
  void send(Input what, caf::message_priority priority = caf::message_priority::normal);
  void ping(Ping what);
  void close();

 private:
  std::mutex mutex_;
  bool closed_ = false;
  caf::actor to_;
};

}  // namespace espalier::supervisor

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(espalier::supervisor::Feed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(espalier::supervisor::Ping)
