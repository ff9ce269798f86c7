// A hundred readers of 5,000 events a second, one of which has stopped reading and one reads a byte
// a second: the others lose nothing, and memory does not grow.
//
// ESPALIER_SUBSCRIBERS_SECONDS=120 makes it the long run of the release notes.
#include "ipc/server/server_fixture.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace espalier::ipc::testing {
namespace {

constexpr int rate = 5000;
constexpr int readers = 98;

std::chrono::seconds duration() {
  const char* asked = std::getenv("ESPALIER_SUBSCRIBERS_SECONDS");
  return std::chrono::seconds{asked == nullptr ? 6 : std::atoi(asked)};
}

// Sends `rate` status texts a second from now on, until it is stopped.
void chatter(sv::ChildContext& context) {
  constexpr auto step = 2ms;
  auto next = std::chrono::steady_clock::now();
  std::uint64_t count = 0;
  while (!context.stop_requested()) {
    for (int i = 0; i < rate * 2 / 1000; ++i)
      context.report_status("item " + std::to_string(++count) + " of the day");
    next += step;
    const auto left = next - std::chrono::steady_clock::now();
    if (left > 0ns && !context.sleep_for(left)) return;
    if (left < -100ms) next -= left;  // What a machine that stood still has missed, is missed.
  }
}

// One reader: takes what is there and looks whether the numbers go on.
struct Follower {
  WireClient client;
  std::string rest = {};
  std::uint64_t last = 0;
  std::uint64_t events = 0;
  std::uint64_t missing = 0;

  void take(std::string_view line) {
    if (line.find("\"type\":\"gap\"") != std::string_view::npos) ++missing;
    constexpr std::string_view key = "\"sequence\":";
    const auto at = line.find(key);
    if (at == std::string_view::npos) return;
    std::uint64_t sequence = 0;
    std::from_chars(line.data() + at + key.size(), line.data() + line.size(), sequence);
    if (last != 0 && sequence != last + 1) ++missing;
    last = sequence;
    ++events;
  }
  bool read(std::vector<char>& buffer) {
    const auto count = ::recv(client.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count <= 0) return count < 0;
    std::string_view bytes{buffer.data(), static_cast<std::size_t>(count)};
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      rest.append(bytes.substr(0, end));
      take(rest);
      rest.clear();
      bytes.remove_prefix(end + 1);
    }
    rest.append(bytes);
    return true;
  }
};

// The process of the 98 that read. Ends once all have come to the number in `until_file`.
int follow(const std::string& path, const std::string& ready_file, const std::string& until_file,
           const std::string& result_file) {
  std::vector<Follower> all;
  std::vector<pollfd> fds;
  for (int i = 0; i < readers; ++i) {
    all.push_back({.client = WireClient{path}});
    if (code_of(all.back().client.ask(request("1", "events.subscribe"))) != "ok") return 1;
    fds.push_back({.fd = all.back().client.fd(), .events = POLLIN, .revents = 0});
  }
  write_file(ready_file, "");
  std::vector<char> buffer(256UL * 1024);
  std::uint64_t until = 0;
  for (auto give_up = WireClient::Clock::time_point::max(); WireClient::Clock::now() < give_up;) {
    ::poll(fds.data(), fds.size(), 50);
    for (std::size_t i = 0; i < all.size(); ++i)
      if (fds[i].revents != 0 && !all[i].read(buffer)) return 2;
    const auto is_done = [&](const auto& x) { return x.last >= until; };
    if (until != 0 && std::all_of(all.begin(), all.end(), is_done)) break;
    if (until != 0 || ::access(until_file.c_str(), F_OK) != 0) continue;
    until = std::strtoull(content_of(until_file).c_str(), nullptr, 10);
    if (until != 0) give_up = WireClient::Clock::now() + 20s;
  }
  std::uint64_t least = UINT64_MAX;
  std::uint64_t missing = 0;
  for (const auto& x : all) {
    least = std::min(least, x.events);
    missing += x.missing + (x.last < until ? 1 : 0);
  }
  write_file(result_file, std::to_string(least) + " " + std::to_string(missing));
  return 0;
}

// What is in use: freed memory that the allocator keeps is given back first.
std::uint64_t memory_in_use() {
  ::malloc_trim(0);
  return rss_of_this_process();
}

TEST(Subscribers, TheSlowCostTheOthersNothing) {
  if (espalier::testing::sanitized) GTEST_SKIP() << "readers that are this slow have gaps";
  // A reader that the machine starves is a slow reader too, and may lose events.
  ::setpriority(PRIO_PROCESS, 0, -10);
  const Folder folder;
  auto factories = waiting_factories();
  factories.add_blocking("chatter", chatter);
  auto child = waiting_child("chatter");
  child.factory = "chatter";
  auto tree = sv::Supervisor::start({.children = {child}}, factories, {.worker_threads = 2});
  ASSERT_TRUE(tree);
  ASSERT_TRUE(tree->stop_child("/chatter", {"test", "not yet"}));
  ServerOptions options;
  options.spec = generous(folder / "s");
  options.spec.security.max_queued_bytes = 4UL << 20U;  // Some 2.5 s of events.
  options.spec.security.max_queued_events = 16'384;
  options.spec.security.stall_timeout = std::chrono::minutes{10};  // They are to stay.
  auto server = Server::start(*tree, options);
  ASSERT_TRUE(server) << server.error().message;

  WireClient stopped{folder / "s"};
  WireClient slow{folder / "s"};
  for (auto* client : {&stopped, &slow})
    ASSERT_EQ(code_of(client->ask(request("1", "events.subscribe"))), "ok");
  Helper others{
      [&] { return follow(folder / "s", folder / "ready", folder / "until", folder / "result"); }};
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder / "ready"); }));

  const auto begin = WireClient::Clock::now();
  const auto first = tree->kept_events_end();
  ASSERT_TRUE(tree->start_child("/chatter", {"test", "now"}));
  std::uint64_t settled = 0;
  while (WireClient::Clock::now() - begin < duration()) {
    char byte = 0;
    static_cast<void>(::recv(slow.fd(), &byte, 1, MSG_DONTWAIT));
    std::this_thread::sleep_for(1s);
    if (settled == 0 && WireClient::Clock::now() - begin > 4s) settled = memory_in_use();
  }
  ASSERT_TRUE(tree->stop_child("/chatter", {"test", "enough"}));
  const std::chrono::duration<double> took = WireClient::Clock::now() - begin;
  const auto sent = tree->kept_events_end() - first;
  std::this_thread::sleep_for(50ms);
  write_file(folder / "until.new", std::to_string(tree->kept_events_end()));
  std::filesystem::rename(folder / "until.new", folder / "until");
  ASSERT_EQ(others.wait(), 0);
  const auto rss = memory_in_use();

  std::istringstream result{content_of(folder / "result")};
  std::uint64_t least = 0;
  std::uint64_t missing = UINT64_MAX;
  result >> least >> missing;
  const auto grown = static_cast<double>(rss) - static_cast<double>(settled);
  std::printf(
      "%d readers, %.0f events/s for %.1f s: each got at least %llu of %llu, %llu gaps; "
      "memory %+.0f KiB\n",
      readers, static_cast<double>(sent) / took.count(), took.count(),
      static_cast<unsigned long long>(least), static_cast<unsigned long long>(sent),
      static_cast<unsigned long long>(missing), grown / 1024);
  EXPECT_EQ(missing, 0u);
  EXPECT_GE(least, sent);
  // In 2 s a queue without a bound takes 5 MiB more; what others have in flight varies by as much.
  EXPECT_LT(grown, 8.0 * 1024 * 1024);
  // The two are still there, and served what waits for them.
  EXPECT_TRUE(stopped.line());
  EXPECT_FALSE(stopped.closes(10ms));
}

}  // namespace
}  // namespace espalier::ipc::testing
