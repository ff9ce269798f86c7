#include "espalier/supervisor/io/internal/gates.hpp"

#include "espalier/supervisor/os/read_file.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <sstream>
#include <string_view>

namespace espalier::supervisor::internal {

namespace {

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string system_error_text() {
  return std::strerror(errno);
}

struct Process {
  std::string name = {};
  char state = '?';
};

// The name may hold spaces and parentheses; the state follows the last of those.
std::optional<Process> find_process(std::int64_t pid) {
  const auto line = read_file("/proc/" + std::to_string(pid) + "/stat", 4096).value_or("");
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 >= line.size()) {
    return std::nullopt;
  }
  return Process{line.substr(open + 1, close - open - 1), line[close + 2]};
}

std::string process_text(std::int64_t pid) {
  const auto process = find_process(pid);
  return "process " + std::to_string(pid) + (process ? " (" + process->name + ")" : "");
}

std::string peer_text(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) {
    return "somebody";
  }
  return process_text(peer.pid);
}

std::string path_problem(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return "'" + path + "' cannot be the path of a Unix socket: use 1 to 107 bytes";
  }
  path.copy(address.sun_path, path.size());
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    const UniqueFd fd{::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) return "cannot look at socket " + path + ": " + system_error_text();
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      const auto who = type == SOCK_DGRAM ? "somebody" : peer_text(fd.get());
      return "socket " + path + ": " + who + " still listens";
    }
    if (errno == EAGAIN) return "socket " + path + ": somebody still listens";
    if (errno == EPROTOTYPE) continue;
    if (errno == ECONNREFUSED || errno == ENOENT || errno == ENOTSOCK) return {};
    return "cannot look at socket " + path + ": " + system_error_text();
  }
  return {};
}

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

std::optional<Address> address_of(const std::string& host, std::uint16_t port) {
  Address result;
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr = v4;
    std::memcpy(&result.storage, &address, result.size = sizeof address);
    return result;
  }
  if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_addr = v6;
    std::memcpy(&result.storage, &address, result.size = sizeof address);
    return result;
  }
  return std::nullopt;
}

int socket_for(const Address& address) {
  const int family = address.storage.ss_family;
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  // Connections of the old owner that the system still remembers do not keep a server from
  // starting, so they do not keep the gate shut; one that listens does, in spite of the option.
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return fd;
}

// 0: it can be bound; else the error.
int try_bind(const std::string& host, std::uint16_t port) {
  const auto address = address_of(host, port);
  const UniqueFd fd{socket_for(*address)};
  if (!fd) return errno;
  const auto* raw = reinterpret_cast<const sockaddr*>(&address->storage);
  return ::bind(fd.get(), raw, address->size) == 0 ? 0 : errno;
}

std::string port_problem(const std::string& value) {
  const auto colon = value.rfind(':');
  const bool with_host = colon != std::string::npos;
  auto host = with_host ? value.substr(0, colon) : std::string{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const auto port = number_in<std::uint16_t>(with_host ? value.substr(colon + 1) : value);
  if (!port || *port == 0 || (with_host && !address_of(host, *port))) {
    return "'" + value + "' is no port: write 8080, 127.0.0.1:8080 or [::1]:8080";
  }
  const auto hosts =
      with_host ? std::vector<std::string>{host} : std::vector<std::string>{"0.0.0.0", "::"};
  for (const auto& each : hosts) {
    const int error = try_bind(each, *port);
    if (error == EADDRINUSE) return "port " + value + ": somebody still listens";
    if (error == EADDRNOTAVAIL && with_host) {
      return "port " + value + ": this machine has no such address";
    }
  }
  // What a bind cannot tell (a port that only root may have) is left for the child to find out.
  return {};
}

std::string pid_file_problem(const std::string& path) {
  const auto text = read_file(path, 4096);
  if (!text && text.error() == ENOENT) return {};
  if (!text) return "cannot read pid file " + path + ": " + std::strerror(text.error());
  std::string word;
  std::istringstream{*text} >> word;
  const auto pid = number_in<pid_t>(word);
  if (!pid || *pid <= 0) {
    return "pid file " + path + " holds no process number ('" + word.substr(0, 20) +
           "'): remove it if its owner is gone";
  }
  if (::kill(*pid, 0) != 0 && errno == ESRCH) return {};
  const auto process = find_process(*pid);
  // What is dead and only not yet reaped holds nothing any more.
  if (process && process->state == 'Z') return {};
  return "pid file " + path + ": " + process_text(*pid) + " still lives";
}

}  // namespace

std::string gate_problem(const StartGate& gate) {
  switch (gate.kind) {
    case StartGate::Kind::path:
      return path_problem(gate.value);
    case StartGate::Kind::port:
      return port_problem(gate.value);
    case StartGate::Kind::pid_file:
      return pid_file_problem(gate.value);
  }
  return "unknown kind of gate";
}

std::string gate_problem(const std::vector<StartGate>& gates) {
  for (const auto& gate : gates) {
    if (auto problem = gate_problem(gate); !problem.empty()) return problem;
  }
  return {};
}

}  // namespace espalier::supervisor::internal
