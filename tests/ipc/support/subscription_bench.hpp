#pragma once

#include "espalier/ipc/core/internal/subscriptions.hpp"
#include "espalier/ipc/wire/codec.hpp"
#include "ipc/support/loose_target.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace espalier::ipc::testing_support {

/// A target, its subscriptions and some connections, in virtual time.
struct SubscriptionBench {
  using Duration = supervisor::Duration;
  explicit SubscriptionBench(const supervisor::BackpressureSpec& backpressure = {})
      : subscriptions(target, backpressure) {}
  LooseTarget target = {};
  internal::Subscriptions subscriptions;
  std::map<ConnectionId, std::unique_ptr<Outbox>> outboxes = {};
  supervisor::TimePoint now{std::chrono::hours{1}};
  Timestamp wall{std::chrono::hours{1000}};

  internal::Recipient reader(ConnectionId id, std::size_t max_pushed = 4096) {
    auto& outbox = outboxes[id];
    if (!outbox) outbox = std::make_unique<Outbox>(1U << 20U, max_pushed);
    return {id, outbox.get()};
  }
  void pass(Duration by) {
    now += by;
    wall += std::chrono::duration_cast<Timestamp::duration>(by);
    subscriptions.tick(now, wall);
  }
  void wake() { subscriptions.wake(now, wall); }
  /// Runs what is due now.
  void settle() {
    for (auto next = subscriptions.next_deadline(); next && *next <= now;
         next = subscriptions.next_deadline())
      subscriptions.tick(now, wall);
  }
  /// All lines that wait for a connection, taken.
  std::vector<std::string> raw(ConnectionId id) {
    std::string all;
    auto& outbox = *outboxes.at(id);
    for (auto text = outbox.pending(); !text.empty(); text = outbox.pending()) {
      all += text;
      outbox.sent(text.size());
    }
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < all.size();) {
      const auto end = all.find('\n', begin);
      lines.push_back(all.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }
  std::vector<nlohmann::json> lines(ConnectionId id) {
    std::vector<nlohmann::json> result;
    for (const auto& line : raw(id))
      result.push_back(nlohmann::json::parse(line));
    return result;
  }
  /// The same in short: "7" an event, "gap 3-5 not_kept", else its type.
  std::string told(ConnectionId id) {
    std::string all;
    for (const auto& line : lines(id)) {
      if (!all.empty()) all += ' ';
      all += short_of(line);
    }
    return all;
  }
  static std::string short_of(const nlohmann::json& line) {
    const auto type = line.at("type").get<std::string>();
    if (type == "event") return std::to_string(line.at("event").at("sequence").get<int>());
    if (type != "gap") return type;
    return "gap:" + std::to_string(line.at("from").get<int>()) + "-" +
           std::to_string(line.at("to").get<int>()) + ":" + line.at("reason").get<std::string>();
  }
};

}  // namespace espalier::ipc::testing_support
