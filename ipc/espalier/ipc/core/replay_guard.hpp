#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_set>

namespace espalier::ipc {

/// Request ids seen on one connection within the window (control C4). Keeps at most `capacity` of
/// them, the newest; memory is bounded whatever a client sends, for ids are at most 128 bytes.
class ReplayGuard {
 public:
  ReplayGuard(supervisor::Duration window, std::size_t capacity)
      : window_(window), capacity_(capacity) {}

  /// False: it was seen within the window. True: it was not, and is now. O(1) on average.
  [[nodiscard]] bool admit(const std::string& request_id, supervisor::TimePoint now);

 private:
  void forget_oldest();
  struct Seen {
    supervisor::TimePoint at = {};
    const std::string* id = nullptr;  ///< In `ids_`.
  };
  supervisor::Duration window_;
  std::size_t capacity_;
  std::unordered_set<std::string> ids_ = {};
  std::deque<Seen> order_ = {};
};

}  // namespace espalier::ipc
