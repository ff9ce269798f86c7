#pragma once

#include "espalier/ipc/core/peer.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <functional>
#include <string>

namespace espalier::ipc {

/// Takes connections from a listening socket. A process that has no descriptors left cannot even
/// refuse a connection, and is told of it again and again: so one descriptor is kept in reserve,
/// to refuse those who wait, and then accepting pauses.
class Acceptor {
 public:
  using Take = std::function<void(supervisor::UniqueFd, const Peer&)>;
  /// `refusal`: the line for those who come while there are no descriptors.
  Acceptor(int listener, std::string refusal);

  /// Takes those who wait, at most a batch. False: the system has no room; pause.
  [[nodiscard]] bool accept(const Take& take);

 private:
  void shed();
  int listener_;
  std::string refusal_;
  supervisor::UniqueFd spare_;
};

/// Sends a last line as far as it goes, without waiting; the caller closes.
void send_last_line(int fd, const std::string& line);

}  // namespace espalier::ipc
