#pragma once

#include "espalier/supervisor/config/listen_address.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <sys/types.h>

#include <string>

namespace espalier::metrics::internal {

/// A socket that listens. One in the file system has mode 0600 from its first instant, is put in
/// place by a rename, and is removed at the end if it is still the same.
class ListeningSocket {
 public:
  /// The error says what stands in the way, and what to do.
  [[nodiscard]] static expected<ListeningSocket, std::string> open(
      const supervisor::ListenAddress& address);
  /// One that somebody else has bound, and will remove.
  [[nodiscard]] static expected<ListeningSocket, std::string> adopt(supervisor::UniqueFd fd);
  ListeningSocket(ListeningSocket&&) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  [[nodiscard]] int fd() const { return fd_.get(); }  ///< Non-blocking.
  [[nodiscard]] int family() const;
  /// With the port that was free, where any was asked for.
  [[nodiscard]] const supervisor::ListenAddress& address() const { return address_; }

 private:
  ListeningSocket() = default;
  [[nodiscard]] std::string open_net();
  [[nodiscard]] std::string open_unix();

  supervisor::ListenAddress address_ = {};
  supervisor::UniqueFd fd_ = {};
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace espalier::metrics::internal
