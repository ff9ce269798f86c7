#pragma once

#include "espalier/ipc/wire/messages.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::ipc {

/// Takes finished audit lines (control C7).
class AuditStore {
 public:
  virtual ~AuditStore() = default;
  /// Keeps one line, durably where the store is durable. False: it could not; what was to be
  /// audited must not happen.
  [[nodiscard]] virtual bool append(const std::string& line) = 0;
  /// The last `limit` lines, oldest first.
  [[nodiscard]] virtual std::vector<std::string> last(std::size_t limit) = 0;
};

/// The last lines, in memory: at most `capacity` and 4 MiB of them, and always the newest.
class AuditRing final : public AuditStore {
 public:
  explicit AuditRing(std::size_t capacity) : capacity_(capacity) {}
  [[nodiscard]] bool append(const std::string& line) override;
  [[nodiscard]] std::vector<std::string> last(std::size_t limit) override;

 private:
  static constexpr std::size_t max_bytes = 4UL << 20U;
  std::size_t capacity_;
  std::size_t bytes_ = 0;
  std::deque<std::string> lines_ = {};
};

/// Where a chain of records stands.
struct ChainHead {
  std::uint64_t sequence = 0;
  std::string hash = std::string(64, '0');
};

/// Makes records a chain: each holds the hash of the one before, and a hash over itself. A record
/// that could not be kept leaves the chain as it was.
class AuditLog {
 public:
  AuditLog(AuditStore& store, ChainHead head = {}) : store_(store), head_(std::move(head)) {}

  /// Fills in sequence, previous and hash. False: the store could not keep it.
  [[nodiscard]] bool write(AuditRecord record);
  [[nodiscard]] std::vector<std::string> last(std::size_t limit) { return store_.last(limit); }
  [[nodiscard]] const ChainHead& head() const { return head_; }

 private:
  AuditStore& store_;
  ChainHead head_;
};

/// Reads a chain line by line, from its first record on.
class AuditChain {
 public:
  /// Empty: the line is the next record. Otherwise what is wrong with it, and the chain stands
  /// where it stood.
  [[nodiscard]] std::string add(std::string_view line);
  [[nodiscard]] const ChainHead& head() const { return head_; }

 private:
  ChainHead head_ = {};
};

/// What `espalier audit verify` says of a file's text.
struct AuditVerdict {
  std::uint64_t records = 0;
  ChainHead head = {};
  bool torn_tail = false;    ///< The last line has no end: a write that was cut off.
  std::string problem = {};  ///< Empty: the chain holds. "line 7: the hash does not fit ..."
};
[[nodiscard]] AuditVerdict verify_audit(std::string_view text);

[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace espalier::ipc
