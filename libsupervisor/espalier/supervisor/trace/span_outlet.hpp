#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/trace/otlp_json.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace espalier::supervisor {

/// Brings spans to one place, from a thread of its own, in requests of at most 512.
///
/// What cannot be brought now is tried again with growing pauses, while at most `capacity` spans
/// wait; what comes then is lost and counted. `push` never waits. Thread-safe. The end brings what
/// waits, for two seconds at most, not counting a delivery that does not end.
class SpanOutlet {
 public:
  /// What came of a request: brought, to be tried again, or never to be brought.
  struct Outcome {
    enum class Kind : std::uint8_t { done, later, never } kind = Kind::done;
    std::string why = {};
  };
  struct Options {
    TraceSource source = {};
    std::string name = {};  ///< For people: "spans to FILE".
    std::size_t capacity = 4096;
    std::function<Outcome(const std::string& request)> deliver = {};
    /// Told when it cannot be brought, and when it can again. On the thread of the outlet.
    std::function<void(Severity severity, const std::string& text)> tell = {};
  };
  struct Counts {
    std::uint64_t brought = 0;
    std::uint64_t lost = 0;
    std::uint64_t waiting = 0;
  };

  explicit SpanOutlet(Options options);  ///< Throws std::system_error where no thread is to be had.
  ~SpanOutlet();
  SpanOutlet(const SpanOutlet&) = delete;
  SpanOutlet& operator=(const SpanOutlet&) = delete;

  void push(const std::shared_ptr<const Span>& span);
  [[nodiscard]] Counts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::supervisor
