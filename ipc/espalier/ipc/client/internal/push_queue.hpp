#pragma once

#include "espalier/ipc/client/client.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace espalier::ipc::internal {

/// Pushed lines that wait for the caller. Where they are too many the oldest go, and a gap line of
/// reason slow_reader for each subscription stands in their place.
class PushQueue {
 public:
  explicit PushQueue(std::size_t max_lines = 100'000, std::size_t max_bytes = 256UL << 20U)
      : max_lines_(max_lines), max_bytes_(max_bytes) {}
  void add(Push push, std::size_t bytes);
  [[nodiscard]] std::optional<Push> take();

 private:
  struct Kept {
    Push push = {};
    std::size_t bytes = 0;
  };
  void lose(const Push& push);
  std::size_t max_lines_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::deque<Kept> kept_ = {};
  std::map<std::string, GapPush> lost_ = {};  ///< By subscription; older than all in `kept_`.
};

/// Text of a message as JSON: what is encoded here is always valid.
template <Message T>
[[nodiscard]] Json as_json(const T& message) {
  std::string text;
  encode(text, message);
  return *parse_json(text);
}

}  // namespace espalier::ipc::internal
