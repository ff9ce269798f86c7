#pragma once

#include "espalier/ipc/core/audit.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <sys/types.h>

#include <memory>
#include <string>

namespace espalier::ipc {

/// An audit that outlives the program: a file that only grows, whose records are a chain from its
/// first line to its last (control C7).
///
/// Promise: `append` says true only once the whole line is on the disk. What a failing write left
/// behind is cut off again, so the file is never anything but a chain, save for a last line that a
/// power cut tore; the next `open` cuts that off and says so in `notice`. When somebody else wrote
/// to the file, cut it or deleted it meanwhile, `append` says false from then on.
/// No two programs write one file: a lock on it keeps the second out.
///
/// Thread rule: one thread. Cost: `open` reads and checks the whole file; `append` waits for the
/// disk. The last 1,000 lines are kept in memory.
class AuditFile final : public AuditStore {
 public:
  /// Makes the file with mode 0600 where there is none. Refused, with a sentence that says what to
  /// do: what is no regular file (links are not followed), what is not ours or may be written by
  /// others, what another program writes to, a chain that does not hold.
  [[nodiscard]] static expected<std::unique_ptr<AuditFile>, std::string> open(
      const std::string& path);

  [[nodiscard]] bool append(const std::string& line) override;
  [[nodiscard]] std::vector<std::string> last(std::size_t limit) override {
    return recent_.last(limit);
  }
  /// Where the chain stood when the file was opened: an AuditLog goes on from there.
  [[nodiscard]] const ChainHead& head() const { return chain_.head(); }
  /// What a person should know of how the file was found; empty: nothing.
  [[nodiscard]] const std::string& notice() const { return notice_; }

 private:
  explicit AuditFile(supervisor::UniqueFd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] std::string read_chain(std::string& rest);
  [[nodiscard]] std::string add_lines(std::string& text);
  [[nodiscard]] std::string cut_torn(const std::string& rest);
  [[nodiscard]] bool is_as_we_left_it() const;

  supervisor::UniqueFd fd_;
  AuditChain chain_ = {};
  AuditRing recent_{1000};
  std::string notice_ = {};
  off_t size_ = 0;         ///< Up to here it is the chain.
  bool has_rest_ = false;  ///< A write failed, and what it left could not be cut off yet.
};

}  // namespace espalier::ipc
