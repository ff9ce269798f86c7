#pragma once

#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Thrown by a child to say what sort of failure it was. Any other exception is a panic.
class ChildFailure : public std::runtime_error {
 public:
  ChildFailure(FailureCategory category, const std::string& message)
      : std::runtime_error(message), category_(category) {}
  [[nodiscard]] FailureCategory category() const { return category_; }

 private:
  FailureCategory category_;
};

/// What a child function sees of its supervision. Valid during the call; every member may be
/// called from any thread.
class ChildContext {
 public:
  virtual ~ChildContext() = default;
  [[nodiscard]] virtual const std::string& path() const = 0;
  [[nodiscard]] virtual std::uint64_t generation() const = 0;
  [[nodiscard]] virtual std::uint64_t attempt() const = 0;
  [[nodiscard]] virtual const std::map<std::string, std::string>& params() const = 0;
  /// True once the supervisor wants the child to end.
  [[nodiscard]] virtual bool stop_requested() const = 0;
  [[nodiscard]] virtual std::stop_token stop_token() const = 0;
  /// Sleeps until the time is over or a stop is requested; false: a stop is requested.
  virtual bool sleep_for(Duration d) = 0;
  /// How often `report_alive` is expected; zero: not at all.
  [[nodiscard]] virtual Duration heartbeat_interval() const = 0;
  virtual void report_ready() = 0;
  virtual void report_alive() = 0;
  virtual void report_status(const std::string& text) = 0;
  /// Asks for a new attempt of itself, or for the end of the whole tree; granted if the child's
  /// `permissions` say so. Returns at once.
  virtual void request_restart(const std::string& reason) = 0;
  virtual void request_tree_shutdown(const std::string& reason) = 0;
};

/// A function that is a child: runs on a thread of its own until it returns (completed) or throws
/// (ChildFailure: failed with that category; anything else: panicked).
using BlockingFunction = std::function<void(ChildContext&)>;

}  // namespace espalier::supervisor
