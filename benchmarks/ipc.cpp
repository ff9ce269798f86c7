// What the socket costs, with all nine controls on and only the rate limits out of the way:
// requests against a bare echo in the same run, snapshots, events, commands. See README.md here.
#include "common.hpp"
#include "espalier/ipc/core/snapshot_of.hpp"
#include "espalier/ipc/server/event_loop.hpp"
#include "espalier/ipc/server/server.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"
#include "espalier/supervisor/runtime/event_hub.hpp"
#include "espalier/supervisor/trace/span_builder.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <thread>

namespace espalier::benchmarks {
namespace {

using ipc::Server;
using ipc::ServerOptions;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un result{};
  result.sun_family = AF_UNIX;
  path.copy(result.sun_path, sizeof result.sun_path - 1);
  return result;
}

UniqueFd connected(const std::string& path) {
  UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto address = address_of(path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror(path.c_str());
    std::exit(1);
  }
  return fd;
}

// The least that a server can do: what comes goes back.
class Echo {
 public:
  explicit Echo(const std::string& path)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), thread_([this] { run(); }) {
    const auto address = address_of(path);
    ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(listener_.get(), 1024);
    ready_ = true;
    ready_.notify_one();
  }
  ~Echo() {
    done_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

 private:
  void run() {
    ready_.wait(false);
    const UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
    std::vector<UniqueFd> peers;
    const auto add = [&](int fd) {
      epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
      ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event);
    };
    add(listener_.get());
    std::array<epoll_event, 64> events{};
    std::vector<char> buffer(64UL * 1024);
    while (!done_) {
      const int count = ::epoll_wait(epoll.get(), events.data(), 64, -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_.get()) {
          peers.emplace_back(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
          add(peers.back().get());
          continue;
        }
        const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (got > 0) {
          static_cast<void>(::send(fd, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL));
        } else {
          ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
        }
      }
    }
  }
  UniqueFd listener_;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

std::string request(std::uint64_t id, const std::string& method, const std::string& params) {
  return R"({"request_id":")" + std::to_string(id) + R"(","method":")" + method + R"(","params":)" +
         params + "}\n";
}

std::uint64_t next_id() {
  static std::uint64_t id = 0;
  return ++id;
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) std::exit(1);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Reads up to the end of a line; gives its length.
std::size_t read_line(int fd, std::vector<char>& buffer) {
  std::size_t total = 0;
  while (true) {
    const auto count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) {
      std::printf("the server closed the connection\n");
      std::exit(1);
    }
    total += static_cast<std::size_t>(count);
    if (buffer[static_cast<std::size_t>(count) - 1] == '\n') return total;
  }
}

// `clients` connections on one thread, each with one request under way: round trips a second.
double round_trips(const std::string& path, std::size_t clients, std::uint64_t total) {
  std::vector<UniqueFd> fds;
  const UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
  for (std::size_t i = 0; i < clients; ++i) {
    fds.push_back(connected(path));
    epoll_event event{.events = EPOLLIN, .data = {.fd = fds.back().get()}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fds.back().get(), &event);
  }
  std::vector<char> buffer(64UL * 1024);
  const auto ask = [](int fd) { write_all(fd, request(next_id(), "hello", "{}")); };
  const auto begin = Clock::now();
  if (clients == 1) {  // No need to look who has answered.
    for (std::uint64_t i = 0; i < total; ++i) {
      ask(fds[0].get());
      read_line(fds[0].get(), buffer);
    }
    return static_cast<double>(total) / ms_since(begin) * 1000;
  }
  for (const auto& fd : fds)
    ask(fd.get());
  std::array<epoll_event, 64> events{};
  for (std::uint64_t done = 0; done < total;) {
    const int count = ::epoll_wait(epoll.get(), events.data(), 64, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      read_line(fd, buffer);
      ++done;
      ask(fd);
    }
  }
  return static_cast<double>(total) / ms_since(begin) * 1000;
}

struct Target {
  SupervisorHandle handle;
  std::unique_ptr<Server> server;
};

Target serve(const std::string& path, std::size_t children) {
  auto tree = Supervisor::start(flat_tree(children), idle_factories());
  if (!tree) {
    std::printf("did not start: %s\n", tree.error().message.c_str());
    std::exit(1);
  }
  ServerOptions options;
  options.target_id = "benchmark";
  options.spec.path = path;
  auto& rules = options.spec.security;
  rules.requests_per_second = rules.uid_requests_per_second = 1e9;
  rules.request_burst = rules.uid_request_burst = 1'000'000'000;
  rules.max_connections = rules.max_connections_per_uid = 300;
  rules.max_queued_bytes = 64UL << 20U;
  auto server = Server::start(*tree, std::move(options));
  if (!server) {
    std::printf("does not listen: %s\n", server.error().message.c_str());
    std::exit(1);
  }
  return {std::move(*tree), std::move(*server)};
}

void hello(const std::string& folder) {
  const Echo echo{folder + "/echo"};
  const auto target = serve(folder + "/hello", 3);
  for (const std::size_t clients : {1UL, 100UL}) {
    const std::uint64_t total = 200'000;
    const auto bare = round_trips(folder + "/echo", clients, total);
    const auto ours = round_trips(folder + "/hello", clients, total);
    std::printf("hello, %3zu clients: %8.0f a second; bare echo %8.0f; %.2f of it\n", clients, ours,
                bare, ours / bare);
  }
}

void print_times(const char* what, const std::vector<double>& us) {
  std::printf("%-44s p50 %9.1f us  p99 %9.1f us\n", what, quantile(us, 0.5), quantile(us, 0.99));
}

// Microseconds of each of `rounds` requests on one connection.
std::vector<double> asked(const std::string& path, const std::string& method,
                          const std::string& params, int rounds, std::size_t* bytes = nullptr) {
  const auto fd = connected(path);
  std::vector<char> buffer(1UL << 20U);
  std::vector<double> us;
  for (int i = 0; i < rounds; ++i) {
    const auto line = request(next_id(), method, params);
    const auto begin = Clock::now();
    write_all(fd.get(), line);
    const auto size = read_line(fd.get(), buffer);
    us.push_back(ms_since(begin) * 1000);
    if (bytes != nullptr) *bytes = size;
  }
  return us;
}

void snapshot(const std::string& folder) {
  const auto target = serve(folder + "/snapshot", 10'000);
  std::size_t bytes = 0;
  const auto us = asked(folder + "/snapshot", "state", "{}", 200, &bytes);
  std::printf("snapshot of 10,000 nodes: %zu bytes\n", bytes);
  print_times("  over the socket, asked -> all there", us);
  const ipc::TargetInfo info;
  const auto health = target.handle.health();
  std::vector<double> copied;
  std::vector<double> encoded;
  for (int i = 0; i < 200; ++i) {
    auto begin = Clock::now();
    const auto state = target.handle.current_state();
    copied.push_back(ms_since(begin) * 1000);
    if (!state) return;
    begin = Clock::now();
    ipc::SnapshotText text;
    ipc::append_snapshot(text, {.target = info, .tree = *state, .health = health});
    encoded.push_back(ms_since(begin) * 1000);
  }
  print_times("  copied from the tree", copied);
  print_times("  encoded, alone", encoded);
}

void events() {
  EventHub hub;
  Event event;
  event.path = "/a";
  event.body = events::ChildReady{};
  const auto publish = [&](const char* what) {
    constexpr int rounds = 2'000'000;
    const auto begin = Clock::now();
    for (int i = 0; i < rounds; ++i)
      hub.publish(event);
    std::printf("%-44s %9.1f ns\n", what, ms_since(begin) * 1e6 / rounds);
  };
  publish("event published, nobody follows");
  // As ServerLoop does: woken by the first, then a look every millisecond.
  ipc::Mailbox mailbox;
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> looks = 0;
  std::thread loop{[&] {
    ipc::EventLoop waiting;
    static_cast<void>(waiting.add(mailbox.fd(), EPOLLIN, 0));
    while (!done) {
      static_cast<void>(waiting.wait({}, Clock::now()));
      static_cast<void>(mailbox.take());
      do {
        ++looks;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
      } while (mailbox.take_news() || !mailbox.arm());
    }
  }};
  const auto watch = hub.on_event([&] { mailbox.news(); });
  publish("event published, one follower");
  done = true;
  mailbox.post([] {});
  loop.join();
}

// What traces add to an event, on the thread of its supervisor: a child that crashes for ever.
void spans() {
  constexpr int rounds = 200'000;
  SpanBuilder builder;
  std::vector<Span> ended;
  std::size_t made = 0;
  auto decision = std::make_shared<RestartDecision>();
  decision->verdict = Verdict::restart_now;
  const std::array<EventBody, 5> life = {
      events::ChildStarting{}, events::ChildReady{}, events::ChildExited{},
      events::RestartDecided{decision, {}, 1}, events::ChildRestarted{}};
  Event event;
  event.path = "/shop/db";
  event.generation = 1;
  const auto begin = Clock::now();
  for (int i = 0; i < rounds; ++i) {
    for (const auto& body : life) {
      event.cause = {event.sequence, event.sequence};
      ++event.sequence;
      event.body = body;
      builder.add(event, ended);
    }
    made += ended.size();
    ended.clear();
  }
  std::printf("%-44s %9.1f ns, %zu spans in all\n", "event made to spans",
              ms_since(begin) * 1e6 / (rounds * life.size()), made);
}

void commands(const std::string& folder) {
  const auto target = serve(folder + "/commands", 100);
  const std::string params = R"({"path":"/c7","requested_by":"benchmark","reason":"measured"})";
  print_times("command.reset_child -> done -> answered",
              asked(folder + "/commands", "command.reset_child", params, 20'000));
  print_times("command.restart_child -> runs -> answered",
              asked(folder + "/commands", "command.restart_child", params, 5'000));
  std::vector<double> us;
  for (int i = 0; i < 20'000; ++i) {
    const auto begin = Clock::now();
    static_cast<void>(target.handle.reset_child("/c7", who));
    us.push_back(ms_since(begin) * 1000);
  }
  print_times("the same reset_child without the socket", us);
}

}  // namespace

void measure_ipc() {
  std::string folder = "/tmp/espalier-benchmark-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return;
  hello(folder);
  snapshot(folder);
  events();
  spans();
  commands(folder);
  std::filesystem::remove_all(folder);
}

}  // namespace espalier::benchmarks

int main() {
  espalier::benchmarks::measure_ipc();
}
