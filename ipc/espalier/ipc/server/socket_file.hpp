#pragma once

#include "espalier/ipc/server/server.hpp"
#include "espalier/supervisor/config/dashboard_spec.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace espalier::ipc {

/// The socket in the file system (control C1). It has its mode from its first instant, is put in
/// place by a rename, so that there is never a moment without a socket when a stale one is
/// replaced, and never follows a link. A lock beside it (PATH.lock) keeps two targets apart.
class SocketFile {
 public:
  [[nodiscard]] static expected<SocketFile, ServerError> bind(const std::string& path,
                                                              std::uint32_t mode,
                                                              supervisor::BindMode bind_mode);
  /// A listener that the service manager bound: its path and its mode are not ours, so nothing is
  /// locked, changed or removed, and who connects between two runs waits there.
  [[nodiscard]] static expected<SocketFile, ServerError> adopt(supervisor::UniqueFd listener);
  SocketFile(SocketFile&&) noexcept = default;
  SocketFile& operator=(SocketFile&&) = delete;
  /// Removes the socket if it is still the one that was bound here.
  ~SocketFile();

  [[nodiscard]] int fd() const { return listener_.get(); }  ///< Listens; non-blocking.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  SocketFile() = default;
  std::string path_ = {};
  std::string name_ = {};  ///< The last part of `path_`.
  supervisor::UniqueFd folder_ = {};
  supervisor::UniqueFd listener_ = {};
  supervisor::UniqueFd lock_ = {};
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// What is wrong with a path for a socket: too long (107 bytes at most), a folder that is missing,
/// that others may write to without the sticky bit, or that belongs to somebody else; empty: fine.
[[nodiscard]] std::string socket_path_problem(const std::string& path);

}  // namespace espalier::ipc
