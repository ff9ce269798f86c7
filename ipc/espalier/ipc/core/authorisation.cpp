#include "espalier/ipc/core/authorisation.hpp"

#include <algorithm>

namespace espalier::ipc {
namespace {

template <class List>
bool contains(const List& list, std::uint32_t number) {
  return std::find(list.begin(), list.end(), number) != list.end();
}

bool fits(const supervisor::PeerRule& rule, const Peer& peer) {
  return contains(rule.uids, peer.uid) || contains(rule.gids, peer.gid) ||
         std::any_of(peer.groups.begin(), peer.groups.end(),
                     [&](std::uint32_t group) { return contains(rule.gids, group); });
}

}  // namespace

Authorisation::Authorisation(const supervisor::DashboardSecurity& rules, std::uint32_t own_uid)
    : read_(rules.read), write_(rules.write), dangerous_(rules.dangerous), own_uid_(own_uid) {}

bool Authorisation::is_owner(const Peer& peer) const {
  return peer.uid == 0 || peer.uid == own_uid_;
}

bool Authorisation::may_connect(const Peer& peer) const {
  return may(peer, MethodClass::read);
}

bool Authorisation::may(const Peer& peer, MethodClass what) const {
  if (is_owner(peer) || fits(dangerous_, peer)) return true;
  switch (what) {
    case MethodClass::read:
      return fits(read_, peer) || fits(write_, peer);
    case MethodClass::write:
      return fits(write_, peer);
    case MethodClass::dangerous:
      return false;
  }
  return false;
}

std::vector<MethodClass> Authorisation::allowed(const Peer& peer) const {
  std::vector<MethodClass> all{MethodClass::read, MethodClass::write, MethodClass::dangerous};
  std::erase_if(all, [&](MethodClass what) { return !may(peer, what); });
  return all;
}

}  // namespace espalier::ipc
