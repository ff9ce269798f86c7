#pragma once

#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <string>

namespace espalier::cli {

/// Sockets that the service manager bound for this program (socket activation), by what they are
/// for. Empty: it handed over none, and the program binds its own.
///
/// A socket is known by its name in the socket unit (`FileDescriptorName=`): `espalier` is the
/// socket of the tree, `metrics` the listener for Prometheus. Where there is only one beside
/// `metrics`, it is that of the tree, whatever its name.
struct ListenFds {
  supervisor::UniqueFd tree = {};
  supervisor::UniqueFd metrics = {};

  /// Takes them out of LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, once, before the first thread and
  /// the first child: the variables are gone afterwards and the descriptors closed on exec, so that
  /// no child takes them for its own. Those meant for another process are none. The error is for
  /// who wrote the socket unit.
  [[nodiscard]] static expected<ListenFds, std::string> take();
};

}  // namespace espalier::cli
