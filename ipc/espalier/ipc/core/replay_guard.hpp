#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace espalier::ipc {

/// Request ids seen on one connection within the window (control C4). Keeps at most `capacity` of
/// them, the newest; memory is bounded whatever a client sends: 40 bytes an id, none of them text.
///
/// Ids are told apart by a 64-bit SipHash under a random key of this process. So a replay is always
/// found; that two different ids are taken for one has a chance of capacity / 2^64 a request, for
/// 8192 less than one in 10^15, and no client can bring it about.
///
/// Cost: O(1) on average; no allocation once the window is full.
class ReplayGuard {
 public:
  /// `capacity` is at least 1.
  ReplayGuard(supervisor::Duration window, std::size_t capacity)
      : window_(window), capacity_(capacity) {}

  /// False: it was seen within the window. True: it was not, and is now.
  [[nodiscard]] bool admit(std::string_view request_id, supervisor::TimePoint now);

 private:
  using Number = std::uint64_t;  ///< Ids are numbered as they come, from 1.
  struct Seen {
    std::uint64_t hash = 0;
    supervisor::TimePoint at = {};
    Number before = 0;  ///< The one before it with the same slot in `newest_`, kept or not.
  };
  [[nodiscard]] Seen& seen(Number number) { return ring_[number & (ring_.size() - 1)]; }
  [[nodiscard]] Number& newest(std::uint64_t hash) { return newest_[hash & (newest_.size() - 1)]; }
  void make_room();
  void grow();

  supervisor::Duration window_;
  std::size_t capacity_;
  Number first_ = 1;  ///< The oldest that is kept; what is before it is forgotten.
  Number next_ = 1;
  std::vector<Seen> ring_ = {};      ///< By number.
  std::vector<Number> newest_ = {};  ///< By hash; 0: none.
};

}  // namespace espalier::ipc
