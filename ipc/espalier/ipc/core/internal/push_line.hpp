#pragma once

#include "espalier/ipc/core/internal/subscriptions.hpp"
#include "espalier/ipc/wire/codec.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace espalier::ipc::internal {

/// The first part of a pushed line: what is one reader's own.
[[nodiscard]] inline std::string push_head(std::string_view type, std::string_view id) {
  std::string head;
  head.reserve(40 + type.size() + id.size());
  head += R"({"type":")";
  head += type;
  head += R"(","subscription_id":")";
  head += id;
  head += '"';
  return head;
}

/// The rest of it: what all readers share. `message` has no subscription_id. Head and tail are
/// cut out of what encode() writes, so they are what encode() writes.
template <Message T>
[[nodiscard]] std::shared_ptr<const std::string> push_tail(const T& message) {
  std::string line;
  encode(line, message);
  line.erase(0, push_head(message.type, {}).size());
  return std::make_shared<const std::string>(std::move(line));
}

/// One subscription's address.
struct Follower {
  std::string id = {};
  Recipient reader = {};

  void push(std::string_view type, std::shared_ptr<const std::string> tail,
            std::uint64_t sequence = 0, std::uint64_t first = 0) const {
    reader.outbox->push(id, push_head(type, id), std::move(tail), sequence, first);
  }
};

/// Told to a reader where sequences `from` to `to` are missing.
inline void push_gap(const Follower& to_whom, std::uint64_t from, std::uint64_t to,
                     std::uint64_t count, std::string_view reason) {
  GapPush gap{.from = from, .to = to, .count = count, .reason = std::string{reason}};
  to_whom.push(gap.type, push_tail(gap), to, from);
}

}  // namespace espalier::ipc::internal
