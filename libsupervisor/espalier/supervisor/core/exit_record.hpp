#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// How an attempt ended.
enum class ExitKind : std::uint8_t {
  completed,  ///< By itself and well.
  failed,     ///< By itself and badly: a failure it reported, or an exit code.
  panicked,   ///< An exception escaped.
  signalled,  ///< A signal it did not handle.
  timed_out,  ///< It did not start in time.
  unhealthy,  ///< It stopped giving signs of life.
  stopped,    ///< It was asked to stop and did.
  aborted,    ///< It was asked to stop, did not, and was ended.
};

/// What sort of failure it was; chosen by the child where it can say so.
enum class FailureCategory : std::uint8_t {
  none,
  recoverable,
  external_dependency,
  fatal_config,
  fatal_bug,
  timeout,
  panic,
  unhealthy,
  cancelled,
};

/// The end of one attempt with what is really known of it: the real message, code and signal.
struct ExitRecord {
  ExitKind kind = ExitKind::completed;
  FailureCategory category = FailureCategory::none;
  std::optional<int> code = {};
  std::optional<int> signal = {};
  bool core_dumped = false;
  std::string message = {};
  /// Where it crashed, innermost frame first, where that is known.
  std::shared_ptr<const std::vector<std::string>> trace = {};

  [[nodiscard]] bool is_failure() const {
    return kind != ExitKind::completed && kind != ExitKind::stopped;
  }
};

[[nodiscard]] const char* to_string(ExitKind x);
[[nodiscard]] const char* to_string(FailureCategory x);

/// "exit code 1 (recoverable)", "signal 9 (SIGKILL)", "panicked: no such table".
[[nodiscard]] std::string describe(const ExitRecord& exit);

}  // namespace espalier::supervisor
