#pragma once

#include "espalier/ipc/core/peer.hpp"
#include "espalier/ipc/wire/words.hpp"
#include "espalier/supervisor/config/dashboard_spec.hpp"

#include <vector>

namespace espalier::ipc {

/// Who may do what (controls C2 and C3): root and the user we run as everything, others what their
/// numbers are listed for. Who may write may read; who may do what is dangerous may do all.
class Authorisation {
 public:
  Authorisation(const supervisor::DashboardSecurity& rules, std::uint32_t own_uid);

  /// C2: whether a peer may connect at all: it is one of the above.
  [[nodiscard]] bool may_connect(const Peer& peer) const;
  /// C3.
  [[nodiscard]] bool may(const Peer& peer, MethodClass what) const;
  /// All that it may.
  [[nodiscard]] std::vector<MethodClass> allowed(const Peer& peer) const;
  [[nodiscard]] bool is_owner(const Peer& peer) const;

 private:
  supervisor::PeerRule read_;
  supervisor::PeerRule write_;
  supervisor::PeerRule dangerous_;
  std::uint32_t own_uid_;
};

}  // namespace espalier::ipc
