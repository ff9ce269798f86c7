#pragma once

#include "ipc/support/fake_server.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace espalier::ipc::testing {

/// A small relay: targets register at its socket, and count as gone once their lease has run out
/// or their connection is closed. What it does to those who ask can be changed while it runs.
class TestRelay {
 public:
  enum class Mood : std::uint8_t {
    kind,    ///< Answers as a relay does.
    refuse,  ///< "not now": retryable.
    banish,  ///< "never": not retryable.
    hang,    ///< Reads and says nothing.
    lie,     ///< Answers with what is no answer.
    flood,   ///< Writes as fast as it can.
    gush,    ///< Writes a line without an end.
    close,   ///< Closes at the first request.
  };
  explicit TestRelay(std::string path, std::uint64_t heartbeat_seconds = 1)
      : heartbeat_seconds_(heartbeat_seconds),
        server_(std::make_unique<FakeServer>(
            std::move(path),
            std::vector<FakeServer::Script>{[this](FakePeer& peer) { serve(peer); }})) {}
  ~TestRelay() { server_.reset(); }
  TestRelay(const TestRelay&) = delete;
  TestRelay& operator=(const TestRelay&) = delete;

  void set(Mood mood) {
    const std::lock_guard lock(mutex_);
    mood_ = mood;
  }
  /// Forgets who is registered, as after a lease that ran out: the next heartbeat is refused.
  void forget_all() {
    const std::lock_guard lock(mutex_);
    leases_.clear();
  }
  /// Ids of targets whose lease holds.
  [[nodiscard]] std::vector<std::string> targets() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> ids;
    for (const auto& [id, lease] : leases_) {
      if (lease.until > std::chrono::steady_clock::now()) ids.push_back(lease.target_id);
    }
    return ids;
  }
  /// All requests so far, in order.
  [[nodiscard]] std::vector<nlohmann::json> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] std::size_t count(const std::string& method) const {
    const std::lock_guard lock(mutex_);
    std::size_t found = 0;
    for (const auto& request : requests_)
      found += request["method"] == method ? 1 : 0;
    return found;
  }
  [[nodiscard]] int connections() const { return server_->connections(); }
  /// Waits until there have been `times` requests of this method; false: not within `limit`.
  bool wait_for(const std::string& method, std::size_t times = 1,
                std::chrono::milliseconds limit = std::chrono::seconds{10}) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] {
      std::size_t found = 0;
      for (const auto& request : requests_)
        found += request["method"] == method ? 1 : 0;
      return found >= times;
    });
  }

 private:
  struct Lease {
    std::string target_id = {};
    std::chrono::milliseconds length = {};
    std::chrono::steady_clock::time_point until = {};
  };

  void serve(FakePeer& peer) {
    std::string registered;
    while (const auto line = peer.line()) {
      const auto request = nlohmann::json::parse(*line);
      Mood mood = Mood::kind;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        mood = mood_;
      }
      changed_.notify_all();
      if (!answer(peer, request, mood, registered)) break;
    }
    const std::lock_guard lock(mutex_);
    leases_.erase(registered);
  }

  bool answer(FakePeer& peer, const nlohmann::json& request, Mood mood, std::string& registered) {
    const std::string id = request["request_id"];
    switch (mood) {
      case Mood::kind:
        // Who asks and is gone before the answer may have said goodbye: read on.
        reply(peer, id, request, registered);
        return true;
      case Mood::refuse:
        return fail(peer, id, "not now", true);
      case Mood::banish:
        return fail(peer, id, "never", false);
      case Mood::hang:
        return true;
      case Mood::lie:
        return peer.answer(id, R"({"registration_id":7})");
      case Mood::flood:
        while (peer.say(R"({"type":"news"})"))
          continue;
        return false;
      case Mood::gush:
        while (peer.raw(std::string(4096, 'x')))
          continue;
        return false;
      case Mood::close:
        return false;
    }
    return false;
  }

  void reply(FakePeer& peer, const std::string& id, const nlohmann::json& request,
             std::string& registered) {
    const std::string method = request["method"];
    const auto& params = request["params"];
    std::unique_lock lock(mutex_);
    if (method == "register") {
      registered = "r" + std::to_string(++last_);
      const std::chrono::seconds length{params["lease_seconds"].get<std::int64_t>()};
      leases_[registered] = {.target_id = params["target_id"],
                             .length = length,
                             .until = std::chrono::steady_clock::now() + length};
      lock.unlock();
      peer.answer(id, R"({"registration_id":")" + registered + R"(","heartbeat_seconds":)" +
                          std::to_string(heartbeat_seconds_) + "}");
      return;
    }
    const auto lease = leases_.find(params["registration_id"]);
    const auto now = std::chrono::steady_clock::now();
    if (lease == leases_.end() || lease->second.until < now) {
      lock.unlock();
      fail(peer, id, "no such registration", true);
      return;
    }
    lease->second.until = now + lease->second.length;
    if (method == "unregister") leases_.erase(lease);
    lock.unlock();
    peer.answer(id, "{}");
  }

  static bool fail(FakePeer& peer, const std::string& id, const std::string& message,
                   bool retryable) {
    return peer.say(R"({"request_id":")" + id +
                    R"(","ok":false,"error":{"code":"forbidden","message":")" + message +
                    R"(","retryable":)" + (retryable ? "true" : "false") + "}}");
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::uint64_t heartbeat_seconds_;
  Mood mood_ = Mood::kind;
  std::uint64_t last_ = 0;
  std::map<std::string, Lease> leases_ = {};  ///< By registration_id.
  std::vector<nlohmann::json> requests_ = {};
  std::unique_ptr<FakeServer> server_;  ///< Last: its threads use all of the above.
};

}  // namespace espalier::ipc::testing
