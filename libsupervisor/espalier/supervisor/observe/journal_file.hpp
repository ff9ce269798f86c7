#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/journal_spec.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace espalier::supervisor {

namespace internal {
class JournalDisk;
}

/// Keeps every event on disk, over restarts of the program, from a thread of its own.
///
/// The problem: what happened last night is asked in the morning, after the program was killed, the
/// disk was full and the power was cut. So events are lines with positions and checksums in files
/// of bounded number, the end of a file that was torn is found and cut off at the next start, and a
/// disk that takes nothing costs events, never the tree: they wait in a bounded queue, what does
/// not fit is counted, and a `subscriber_lagged` line names it once there is room again.
///
/// `publish` never waits for the disk. Thread-safe. The end writes what is queued, if it can be
/// written at all. JournalReader reads what is written here, at any time.
class JournalFile final : public EventSink {
 public:
  /// Told once when it cannot be written, once when it can again, and what was found at the start.
  /// Called on the thread of the journal, also from its destructor.
  using Tell = std::function<void(Severity severity, const std::string& text)>;

  /// Fails only where no thread is to be had. A folder that cannot be written is told of, and tried
  /// again each second. `disk` takes the place of the real one in tests.
  [[nodiscard]] static expected<std::shared_ptr<JournalFile>, std::string> start(
      JournalSpec spec, Tell tell, std::shared_ptr<internal::JournalDisk> disk = {});
  ~JournalFile() override;
  void publish(const Event& event) override;
  /// Waits until everything published so far is written, and with JournalSync::always is safe from
  /// a loss of power; false: something was lost, ever, or it cannot be written now.
  bool flush();

  struct Stats {
    std::uint64_t written = 0;  ///< Events, since it was started.
    std::uint64_t lost = 0;     ///< Events that are known to be missing.
    bool failing = false;       ///< It cannot be written now.
  };
  [[nodiscard]] Stats stats() const;

 private:
  class Impl;
  explicit JournalFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::supervisor
