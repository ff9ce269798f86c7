#include "espalier/ipc/wire/words.hpp"

#include <array>

namespace espalier::ipc {

const char* to_string(Lifecycle x) {
  switch (x) {
    case Lifecycle::pending:
      return "pending";
    case Lifecycle::starting:
      return "starting";
    case Lifecycle::running:
      return "running";
    case Lifecycle::ready:
      return "ready";
    case Lifecycle::backing_off:
      return "backing_off";
    case Lifecycle::queued:
      return "queued";
    case Lifecycle::stopping:
      return "stopping";
    case Lifecycle::stopped:
      return "stopped";
    case Lifecycle::failed:
      return "failed";
  }
  return "unknown";
}

const char* to_string(WireIntent x) {
  switch (x) {
    case WireIntent::active:
      return "active";
    case WireIntent::stopped:
      return "stopped";
    case WireIntent::paused:
      return "paused";
    case WireIntent::quarantined:
      return "quarantined";
    case WireIntent::removed:
      return "removed";
  }
  return "unknown";
}

const char* to_string(CommandStatus x) {
  switch (x) {
    case CommandStatus::completed:
      return "completed";
    case CommandStatus::accepted:
      return "accepted";
    case CommandStatus::rejected:
      return "rejected";
    case CommandStatus::timed_out:
      return "timed_out";
  }
  return "unknown";
}

const char* to_string(MethodClass x) {
  switch (x) {
    case MethodClass::read:
      return "read";
    case MethodClass::write:
      return "write";
    case MethodClass::dangerous:
      return "dangerous";
  }
  return "unknown";
}

const char* to_string(StateMode x) {
  switch (x) {
    case StateMode::snapshot:
      return "snapshot";
    case StateMode::delta:
      return "delta";
  }
  return "unknown";
}

const char* to_string(LogStream x) {
  switch (x) {
    case LogStream::out:
      return "stdout";
    case LogStream::err:
      return "stderr";
    case LogStream::supervisor:
      return "supervisor";
  }
  return "unknown";
}

const char* WireWords<sv::HealthReport::State>::word(std::size_t i) {
  constexpr std::array words{"starting", "up", "degraded", "stopping", "stopped", "failed"};
  static_assert(words.size() == count);
  return i < count ? words[i] : "unknown";
}

Lifecycle lifecycle_of(supervisor::ChildPhase phase) {
  using enum supervisor::ChildPhase;
  switch (phase) {
    case idle:
    case blocked:
    case gated:
      return Lifecycle::pending;
    case backing_off:
      return Lifecycle::backing_off;
    case queued:
      return Lifecycle::queued;
    case starting:
      return Lifecycle::starting;
    case running:
      return Lifecycle::ready;
    case suspended:
      return Lifecycle::running;
    case stopping:
    case aborting:
      return Lifecycle::stopping;
    case stopped:
    case paused:
    case removed:
      return Lifecycle::stopped;
    case held:
    case quarantined:
    case abandoned:
      return Lifecycle::failed;
  }
  return Lifecycle::failed;
}

WireIntent intent_of(supervisor::Intent intent) {
  using enum supervisor::Intent;
  switch (intent) {
    case run:
      return WireIntent::active;
    case stopped:
      return WireIntent::stopped;
    case paused:
      return WireIntent::paused;
    case quarantined:
      return WireIntent::quarantined;
    case removed:
      return WireIntent::removed;
  }
  return WireIntent::active;
}

}  // namespace espalier::ipc
