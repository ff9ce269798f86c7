#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <memory>
#include <string>

namespace espalier::supervisor {

/// Writes every event as a line of JSON to a file ("-": standard output) from a thread of its own.
/// `publish` never waits for the disk: the queue is bounded and what does not fit is dropped,
/// counted, and announced by a `subscriber_lagged` line. Ends after all queued lines are written.
class EventFile final : public EventSink {
 public:
  /// Truncates an existing file; the sentence says why it cannot be opened.
  [[nodiscard]] static expected<std::shared_ptr<EventFile>, std::string> open(
      const std::string& path);
  ~EventFile() override;
  void publish(const Event& event) override;
  /// Waits until everything published so far is written; false: a write failed.
  bool flush();

 private:
  class Impl;
  explicit EventFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::supervisor
