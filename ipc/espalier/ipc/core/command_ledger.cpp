#include "espalier/ipc/core/command_ledger.hpp"

#include "espalier/ipc/core/audit.hpp"

#include <utility>

namespace espalier::ipc {
namespace {

std::string key_of(std::uint32_t uid, const std::string& command_id) {
  return std::to_string(uid) + ':' + command_id;
}

}  // namespace

CommandLedger::Look CommandLedger::open(std::uint32_t uid, const std::string& command_id,
                                        const std::string& content, supervisor::TimePoint now) {
  expire(now);
  auto digest = sha256_hex(content);
  const auto [place, is_new] = entries_.try_emplace(key_of(uid, command_id));
  auto& entry = place->second;
  if (is_new) {
    entry.content = std::move(digest);
    return {};
  }
  if (entry.content != digest) return {Verdict::mismatch};
  if (!entry.answer) return {Verdict::running};
  return {Verdict::answered, entry.answer};
}

void CommandLedger::close(std::uint32_t uid, const std::string& command_id, CommandAnswer answer,
                          supervisor::TimePoint now) {
  const auto key = key_of(uid, command_id);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.answer) return;
  found->second.answer = std::move(answer);
  found->second.ended_at = now;
  ended_.push_back(key);
  if (ended_.size() > capacity_) forget_oldest();
}

void CommandLedger::forget(std::uint32_t uid, const std::string& command_id) {
  const auto found = entries_.find(key_of(uid, command_id));
  if (found != entries_.end() && !found->second.answer) entries_.erase(found);
}

void CommandLedger::expire(supervisor::TimePoint now) {
  while (!ended_.empty() && now - entries_.at(ended_.front()).ended_at >= lifetime_) {
    forget_oldest();
  }
}

void CommandLedger::forget_oldest() {
  entries_.erase(ended_.front());
  ended_.pop_front();
}

}  // namespace espalier::ipc
