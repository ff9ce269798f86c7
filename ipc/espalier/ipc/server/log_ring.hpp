#pragma once

#include "espalier/ipc/core/target.hpp"
#include "espalier/supervisor/core/event.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace espalier::ipc {

/// The last lines that children wrote, bounded in number and bytes: when full the oldest goes. To
/// be given to SupervisorOptions::output. Thread-safe.
class LogRing final : public supervisor::OutputSink {
 public:
  /// Every line also goes on to `next`, if there is one.
  explicit LogRing(std::size_t capacity, std::shared_ptr<supervisor::OutputSink> next = {});
  void write(const supervisor::OutputLine& line) override;

  /// At most `limit` lines from `position` on. A position counts all lines that ever came.
  [[nodiscard]] LinePage read_from(std::uint64_t position, std::size_t limit) const;
  [[nodiscard]] std::uint64_t end() const;
  /// Calls `wake` after every line, for as long as the result lives; it must be quick and must not
  /// come back here.
  [[nodiscard]] std::shared_ptr<void> on_line(std::function<void()> wake);

 private:
  static constexpr std::size_t max_bytes = 4UL << 20U;
  std::size_t capacity_;
  std::shared_ptr<supervisor::OutputSink> next_;
  mutable std::mutex mutex_;
  std::deque<KeptLine> lines_ = {};
  std::size_t bytes_ = 0;
  std::uint64_t end_ = 0;
  std::weak_ptr<std::function<void()>> wake_ = {};
};

}  // namespace espalier::ipc
