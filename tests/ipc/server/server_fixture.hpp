#pragma once

#include "espalier/ipc/server/resources.hpp"
#include "espalier/ipc/server/server.hpp"
#include "espalier/ipc/wire/json.hpp"
#include "espalier/supervisor/core/child_factories.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"
#include "ipc/server/other_user.hpp"
#include "ipc/server/wire_client.hpp"
#include "support/sanitized.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::ipc::testing {

namespace sv = supervisor;
using namespace std::chrono_literals;

inline sv::ChildFactories waiting_factories() {
  sv::ChildFactories factories;
  factories.add_blocking("wait", [](sv::ChildContext& context) {
    while (context.sleep_for(std::chrono::minutes{1})) {
    }
  });
  return factories;
}

inline sv::ChildSpec waiting_child(const std::string& name) {
  sv::ChildSpec child;
  child.name = name;
  child.kind = sv::ChildKind::blocking;
  child.factory = "wait";
  return child;
}

/// Limits out of the way, for tests that are about something else.
inline sv::DashboardSpec generous(const std::string& path) {
  sv::DashboardSpec spec;
  spec.enabled = true;
  spec.path = path;
  spec.target_id = "target";
  spec.permissions = 0666;
  spec.security.requests_per_second = 1e9;
  spec.security.request_burst = 1'000'000'000;
  spec.security.uid_requests_per_second = 1e9;
  spec.security.uid_request_burst = 1'000'000'000;
  spec.security.max_connections = 2000;
  spec.security.max_connections_per_uid = 1500;
  return spec;
}

/// A small real tree with its socket, in this process.
struct LiveTarget {
  explicit LiveTarget(sv::DashboardSpec spec, std::vector<std::string> children = {"a", "b"}) {
    sv::SupervisorSpec tree;
    for (const auto& name : children)
      tree.children.push_back(waiting_child(name));
    logs = std::make_shared<LogRing>(spec.log_capacity);
    auto started = sv::Supervisor::start(std::move(tree), waiting_factories(),
                                         {.output = logs, .worker_threads = 2, .seed = 1});
    if (!started) return;
    handle = std::make_unique<sv::SupervisorHandle>(std::move(*started));
    ServerOptions options;
    options.spec = std::move(spec);
    options.version = "1.2.3";
    options.logs = logs;
    auto made = Server::start(*handle, std::move(options));
    if (made) {
      server = std::move(*made);
    } else {
      problem = made.error();
    }
  }
  std::shared_ptr<LogRing> logs = {};
  std::unique_ptr<sv::SupervisorHandle> handle = {};
  std::unique_ptr<Server> server = {};
  ServerError problem = {};
};

class ServerFixture : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_ / "s"; }
  void serve(sv::DashboardSpec spec) {
    target_ = std::make_unique<LiveTarget>(std::move(spec));
    ASSERT_TRUE(target_->server) << target_->problem.message;
  }
  void serve() { serve(generous(path())); }

  /// The generation of a child, as the tree itself knows it.
  [[nodiscard]] std::uint64_t generation_of(const std::string& child) const {
    const auto state = target_->handle->current_state({child, 0U});
    return state ? state->nodes.front().view.generation : 0;
  }

  const Folder folder_{0755};  // Others may come through, and not write.
  std::unique_ptr<LiveTarget> target_;
};

inline Json parsed(const std::string& line) {
  auto json = Json::parse(line, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << line;
  return json;
}

/// The `code` of an error line; "ok" of an answer.
inline std::string code_of(const std::string& line) {
  const auto json = parsed(line);
  if (!json.is_object()) return "no object";
  return json.contains("error") ? json["error"].value("code", "no code") : "ok";
}

inline std::uint64_t rss_of_this_process() {
  const auto found = read_resources(::getpid());
  return found ? found->rss_bytes : 0;
}

inline std::uint64_t fds_of_this_process() {
  const auto found = read_resources(::getpid());
  return found ? found->fds.value_or(0) : 0;
}

/// Waits until `is_true`, at most 10 s.
template <class Condition>
bool eventually(Condition is_true) {
  for (int i = 0; i < 2000; ++i) {
    if (is_true()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return is_true();
}

/// Milliseconds of `count` round trips, sorted: what an honest client sees. A new connection after
/// every `each`. Empty: it was not served.
inline std::vector<double> round_trips(const std::string& path, int count, int each = 1'000'000) {
  std::unique_ptr<WireClient> client;
  std::vector<double> result;
  for (int i = 0; i < count; ++i) {
    if (i % each == 0) client = std::make_unique<WireClient>(path);
    const auto begin = WireClient::Clock::now();
    const auto answer = client->ask(request(std::to_string(i), "hello"));
    const std::chrono::duration<double, std::milli> took = WireClient::Clock::now() - begin;
    if (answer.find("\"ok\":true") == std::string::npos) return {};
    result.push_back(took.count());
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// The same beside a process that is as busy as an attacker, but not with the server: what is worse
/// under attack is the server's doing, not the machine's.
inline std::vector<double> round_trips_in_peace(const std::string& path, int count,
                                                int each = 1'000'000) {
  const Helper busy{[] {
    while (::getppid() != 1) {
    }
    return 0;
  }};
  return round_trips(path, count, each);
}

inline double quantile(const std::vector<double>& sorted, double q) {
  return sorted.empty()
             ? -1
             : sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

/// What the attack costs an honest client: p99 below 5 ms more than twice that of peace, which is
/// nothing on a machine that is not busy.
inline void expect_served(const char* attack, const std::vector<double>& in_peace,
                          const std::vector<double>& attacked) {
  ASSERT_FALSE(in_peace.empty());
  ASSERT_FALSE(attacked.empty()) << "the honest client was not served";
  const auto before = quantile(in_peace, 0.99);
  const auto during = quantile(attacked, 0.99);
  std::printf("%s: honest client p99 %.3f ms, in peace %.3f ms\n", attack, during, before);
  if (!espalier::testing::sanitized) {
    EXPECT_LT(during, 2 * before + 5);
  }
}

}  // namespace espalier::ipc::testing
