#include "espalier/supervisor/process/identity.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <system_error>

namespace espalier::supervisor {

namespace {

constexpr std::size_t database_buffer = 64 * 1024;

template <class Id>
std::optional<Id> parse_id(const std::string& text) {
  Id value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

std::vector<gid_t> groups_of(const std::string& user, gid_t gid) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (::getgrouplist(user.c_str(), gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

std::optional<gid_t> find_group(const std::string& group) {
  if (const auto number = parse_id<gid_t>(group)) return number;
  std::vector<char> buffer(database_buffer);
  ::group entry = {};
  ::group* found = nullptr;
  ::getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return std::nullopt;
  return found->gr_gid;
}

}  // namespace

IdentityLookup find_identity(const std::string& user, const std::string& group) {
  IdentityLookup result;
  if (user.empty() && group.empty()) return result;
  Identity identity{::geteuid(), ::getegid(), {}};
  std::vector<char> buffer(database_buffer);
  ::passwd entry = {};
  ::passwd* found = nullptr;
  if (!user.empty()) {
    const auto number = parse_id<uid_t>(user);
    if (number) {
      ::getpwuid_r(*number, &entry, buffer.data(), buffer.size(), &found);
    } else {
      ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
    }
    if (found == nullptr && (!number || group.empty())) {
      result.problem = number ? "user " + user + " has no entry here; give a group as well"
                              : "there is no user \"" + user + "\" on this machine";
      return result;
    }
    identity.uid = found == nullptr ? *number : found->pw_uid;
    if (found != nullptr) {
      identity.gid = found->pw_gid;
      result.user = found->pw_name;
      result.home = found->pw_dir;
    }
  }
  if (!group.empty()) {
    const auto gid = find_group(group);
    if (!gid) {
      result.problem = "there is no group \"" + group + "\" on this machine";
      return result;
    }
    identity.gid = *gid;
  }
  identity.groups =
      result.user.empty() ? std::vector<gid_t>{identity.gid} : groups_of(result.user, identity.gid);
  const auto already = identity.uid == ::geteuid() && identity.gid == ::getegid();
  if (!already || ::geteuid() == 0) result.identity = std::move(identity);
  return result;
}

}  // namespace espalier::supervisor
