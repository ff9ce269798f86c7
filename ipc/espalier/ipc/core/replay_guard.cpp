#include "espalier/ipc/core/replay_guard.hpp"

#include "espalier/ipc/core/internal/sip_hash.hpp"

#include <algorithm>
#include <utility>

namespace espalier::ipc {

bool ReplayGuard::admit(std::string_view request_id, supervisor::TimePoint now) {
  while (first_ != next_ && now - seen(first_).at >= window_)
    ++first_;
  const auto hash = internal::sip_hash(internal::process_key(), request_id);
  if (!ring_.empty()) {
    for (auto number = newest(hash); number >= first_; number = seen(number).before)
      if (seen(number).hash == hash) return false;
  }
  make_room();
  seen(next_) = {hash, now, std::exchange(newest(hash), next_)};
  ++next_;
  return true;
}

void ReplayGuard::make_room() {
  const auto kept = next_ - first_;
  if (kept == capacity_) {
    ++first_;
  } else if (kept == ring_.size()) {
    grow();
  }
}

// Sizes are powers of two: a place is a few bits of a number, not a division.
void ReplayGuard::grow() {
  constexpr std::size_t least = 16;
  const auto size = std::max(least, 2 * ring_.size());
  auto old = std::exchange(ring_, std::vector<Seen>(size));
  newest_.assign(size, 0);
  for (auto number = first_; number != next_; ++number) {
    const auto& was = old[number & (old.size() - 1)];
    seen(number) = {was.hash, was.at, std::exchange(newest(was.hash), number)};
  }
}

}  // namespace espalier::ipc
