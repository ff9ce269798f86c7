#pragma once

#include "espalier/ipc/wire/error.hpp"
#include "espalier/ipc/wire/methods.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace espalier::ipc {

/// What a socket has had to do so far, for whoever watches it from another thread. The service
/// counts, anybody reads. Cost: a few nanoseconds a request.
class ServiceFigures {
 public:
  static constexpr std::size_t error_codes = static_cast<std::size_t>(ErrorCode::internal) + 1;
  static constexpr std::size_t most_methods = 64;

  void connected() { add(connections_total_); }
  void set_connections(std::size_t n) { connections_.store(n, relaxed); }
  void set_subscriptions(std::size_t n) { subscriptions_.store(n, relaxed); }
  /// A peer that may not connect.
  void refused(ErrorCode why) { add(refusals_[index(why)]); }
  /// `method`: null where there is none of that name. No error: it was served, or a command begun.
  void requested(const MethodInfo* method, std::optional<ErrorCode> error) {
    add(requests_[index(method)][error ? index(*error) + 1 : 0]);
  }
  /// Lines of subscriptions that a reader was too slow for.
  void dropped(std::uint64_t lines) { dropped_.fetch_add(lines, relaxed); }

  [[nodiscard]] std::uint64_t connections_total() const { return connections_total_.load(relaxed); }
  [[nodiscard]] std::uint64_t connections() const { return connections_.load(relaxed); }
  [[nodiscard]] std::uint64_t subscriptions() const { return subscriptions_.load(relaxed); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(relaxed); }
  [[nodiscard]] std::uint64_t refusals(ErrorCode why) const {
    return refusals_[index(why)].load(relaxed);
  }
  [[nodiscard]] std::uint64_t requests(const MethodInfo* method,
                                       std::optional<ErrorCode> error) const {
    return requests_[index(method)][error ? index(*error) + 1 : 0].load(relaxed);
  }

 private:
  using Number = std::atomic<std::uint64_t>;
  static constexpr auto relaxed = std::memory_order_relaxed;
  static void add(Number& number) { number.fetch_add(1, relaxed); }
  static std::size_t index(ErrorCode code) { return static_cast<std::size_t>(code); }
  // The last is for those that are none.
  static std::size_t index(const MethodInfo* method) {
    if (!method) return most_methods;
    return static_cast<std::size_t>(method - methods().data());
  }

  Number connections_total_ = 0;
  Number connections_ = 0;
  Number subscriptions_ = 0;
  Number dropped_ = 0;
  std::array<Number, error_codes> refusals_ = {};
  std::array<std::array<Number, error_codes + 1>, most_methods + 1> requests_ = {};
};

}  // namespace espalier::ipc
