#include "espalier/supervisor/core/exit_record.hpp"

#include <csignal>
#include <cstring>

namespace espalier::supervisor {
namespace {

std::string signal_text(int signal) {
  std::string out = "signal " + std::to_string(signal);
  if (const char* name = ::sigabbrev_np(signal)) out += std::string{" (SIG"} + name + ")";
  return out;
}

// What the operating system says, for the kinds that do not already name it.
std::string details(const ExitRecord& exit) {
  std::string out;
  if (exit.code) out += ", exit code " + std::to_string(*exit.code);
  if (exit.signal) out += ", " + signal_text(*exit.signal);
  return out;
}

std::string failed_text(const ExitRecord& exit) {
  std::string out = exit.code ? "exit code " + std::to_string(*exit.code) : "failed";
  if (exit.category != FailureCategory::none) {
    out += std::string{" ("} + to_string(exit.category) + ")";
  }
  return out;
}

std::string kind_text(const ExitRecord& exit) {
  switch (exit.kind) {
    case ExitKind::completed:
      return "completed" + details(exit);
    case ExitKind::failed:
      return failed_text(exit);
    case ExitKind::panicked:
      return "panicked" + details(exit);
    case ExitKind::signalled:
      return exit.signal ? signal_text(*exit.signal) : "ended by a signal";
    case ExitKind::timed_out:
      return "timed out" + details(exit);
    case ExitKind::unhealthy:
      return "unhealthy" + details(exit);
    case ExitKind::stopped:
      return "stopped" + details(exit);
    case ExitKind::aborted:
      return "aborted" + details(exit);
  }
  return "ended";
}

}  // namespace

const char* to_string(ExitKind x) {
  switch (x) {
    case ExitKind::completed:
      return "completed";
    case ExitKind::failed:
      return "failed";
    case ExitKind::panicked:
      return "panicked";
    case ExitKind::signalled:
      return "signalled";
    case ExitKind::timed_out:
      return "timed_out";
    case ExitKind::unhealthy:
      return "unhealthy";
    case ExitKind::stopped:
      return "stopped";
    case ExitKind::aborted:
      return "aborted";
  }
  return "unknown";
}

const char* to_string(FailureCategory x) {
  switch (x) {
    case FailureCategory::none:
      return "none";
    case FailureCategory::recoverable:
      return "recoverable";
    case FailureCategory::external_dependency:
      return "external_dependency";
    case FailureCategory::fatal_config:
      return "fatal_config";
    case FailureCategory::fatal_bug:
      return "fatal_bug";
    case FailureCategory::timeout:
      return "timeout";
    case FailureCategory::panic:
      return "panic";
    case FailureCategory::unhealthy:
      return "unhealthy";
    case FailureCategory::cancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string describe(const ExitRecord& exit) {
  std::string out = kind_text(exit);
  if (exit.core_dumped) out += ", core dumped";
  if (!exit.message.empty()) out += ": " + exit.message;
  return out;
}

}  // namespace espalier::supervisor
