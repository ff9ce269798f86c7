#pragma once

#include "espalier/ipc/core/audit.hpp"
#include "espalier/ipc/core/peer.hpp"
#include "espalier/ipc/core/rate_limiter.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace espalier::ipc::internal {

/// What the audit can take of what strangers say (control C7): every command, and refusals as fast
/// as a person could cause them. A user who is refused faster than that is told of by number, in
/// the next record about him, so nobody can fill the disk, or wash records out of the ring, with
/// refusals.
class Auditor {
 public:
  Auditor(AuditStore& store, ChainHead head) : log_(store, std::move(head)) {}

  /// False: it could not be kept, and what it is about must not happen.
  [[nodiscard]] bool write(AuditRecord record);
  /// True once after writing has begun to fail.
  [[nodiscard]] bool take_failure() { return std::exchange(failure_untold_, false); }

  /// For what did not happen. Noise is what any garbage causes: lines that are no requests.
  enum class Sort : std::uint8_t { control, noise };
  void note(AuditRecord record, Sort sort, supervisor::TimePoint now);
  /// For a refusal that is not to be kept on its own.
  void count(std::uint32_t uid, Sort sort) { ++tally(uid, sort).left_out; }

  [[nodiscard]] std::vector<std::string> last(std::size_t limit) { return log_.last(limit); }

 private:
  struct Tally {
    RateLimiter rate;
    std::uint64_t left_out = 0;
  };
  [[nodiscard]] Tally& tally(std::uint32_t uid, Sort sort);
  AuditLog log_;
  bool failing_ = false;
  bool failure_untold_ = false;
  std::map<std::uint64_t, Tally> tallies_ = {};  ///< By uid and sort.
};

/// What is the same in every record about one peer.
[[nodiscard]] AuditRecord record_of(const Peer& peer, Timestamp at);
/// A stranger's text, cut to what a record should hold of it.
[[nodiscard]] std::string cut(const std::string& text, std::size_t bytes = 128);

}  // namespace espalier::ipc::internal
