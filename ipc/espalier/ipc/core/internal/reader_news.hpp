#pragma once

#include "espalier/ipc/core/service.hpp"
#include "espalier/supervisor/core/backpressure.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::ipc::internal {

/// Events that a reader was not given, though there would have been room.
struct LeftOut {
  std::uint64_t count = 0;
  std::uint64_t from = 0;  ///< Sequences between which they lie.
  std::uint64_t to = 0;

  void add(std::uint64_t sequence) {
    if (count++ == 0) from = sequence;
    to = sequence;
  }
};

/// What is to be told of a reader that is too slow: to those who watch the tree, and to the audit.
struct ReaderNews {
  ConnectionId connection = 0;
  std::string subscription_id = {};
  std::optional<supervisor::Backpressure::Alert> alert = {};
  LeftOut left_out = {};
  std::uint64_t others = 0;  ///< Events left out of other subscriptions, of which there is no news.
};

/// News that wait to be told, at most `capacity`; what more there is is summed up in the last.
class NewsOfReaders {
 public:
  explicit NewsOfReaders(std::size_t capacity) : capacity_(capacity) {}
  void add(ReaderNews one) {
    if (news_.size() < capacity_) {
      news_.push_back(std::move(one));
    } else {
      news_.back().others += one.left_out.count;
    }
  }
  [[nodiscard]] std::vector<ReaderNews> take() { return std::exchange(news_, {}); }

 private:
  std::size_t capacity_;
  std::vector<ReaderNews> news_ = {};
};

}  // namespace espalier::ipc::internal
