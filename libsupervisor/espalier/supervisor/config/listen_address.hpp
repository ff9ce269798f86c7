#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <cstdint>
#include <string>

namespace espalier::supervisor {

/// Where a listener waits: an address of this machine, or a socket in the file system.
struct ListenAddress {
  std::string unix_path = {};  ///< Absolute; empty: `host` and `port` count.
  std::string host = {};       ///< IPv4 or IPv6 in numbers, without brackets.
  std::uint16_t port = 0;      ///< 0: any that is free.
  bool is_loopback = true;     ///< False: other machines may reach it.

  [[nodiscard]] bool is_ipv6() const { return host.find(':') != std::string::npos; }
  /// As it is written in a file: "[::1]:9464", "unix:/run/x.sock".
  [[nodiscard]] std::string text() const;
};

/// Reads "127.0.0.1:9464", "[::1]:9464", "localhost:9464" or "unix:/PATH". No name is looked up:
/// what a name means is not for a file to decide. The error says what is expected.
[[nodiscard]] expected<ListenAddress, std::string> parse_listen_address(const std::string& text);

}  // namespace espalier::supervisor
