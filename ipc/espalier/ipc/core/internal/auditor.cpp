#include "espalier/ipc/core/internal/auditor.hpp"

#include <utility>

namespace espalier::ipc::internal {

namespace {

// A record is some 500 bytes: at most 6 KB a second of one user.
constexpr double controls_per_second = 10;
constexpr std::uint32_t control_burst = 50;
constexpr double noise_per_second = 2;
constexpr std::uint32_t noise_burst = 3;
constexpr std::size_t most_tallies = 1024;

}  // namespace

Auditor::Tally& Auditor::tally(std::uint32_t uid, Sort sort) {
  if (tallies_.size() > most_tallies) tallies_.clear();
  const bool is_noise = sort == Sort::noise;
  const auto key = (std::uint64_t{uid} << 1U) + (is_noise ? 1U : 0U);
  const auto rate = is_noise ? RateLimiter{noise_per_second, noise_burst}
                             : RateLimiter{controls_per_second, control_burst};
  return tallies_.try_emplace(key, Tally{rate}).first->second;
}

bool Auditor::write(AuditRecord record) {
  const bool kept = log_.write(std::move(record));
  if (!kept && !failing_) failure_untold_ = true;
  failing_ = !kept;
  return kept;
}

void Auditor::note(AuditRecord record, Sort sort, supervisor::TimePoint now) {
  auto& known = tally(static_cast<std::uint32_t>(record.uid), sort);
  if (known.rate.take(now) != supervisor::Duration::zero()) {
    ++known.left_out;
    return;
  }
  if (known.left_out != 0) {
    record.detail = record.detail.value_or("") + "; " + std::to_string(known.left_out) +
                    " more before it were not recorded";
  }
  // It did not happen, whether that can be kept or not.
  if (write(std::move(record))) known.left_out = 0;
}

AuditRecord record_of(const Peer& peer, Timestamp at) {
  AuditRecord record;
  record.at = at;
  record.pid = peer.pid;
  record.uid = peer.uid;
  record.gid = peer.gid;
  return record;
}

std::string cut(const std::string& text, std::size_t bytes) {
  return text.size() <= bytes ? text : text.substr(0, bytes) + "...";
}

}  // namespace espalier::ipc::internal
