#pragma once

#include "espalier/supervisor/actor/tree_services.hpp"
#include "espalier/supervisor/core/run_summary_builder.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace espalier::supervisor {

/// Listens to a tree on its own behalf: keeps what a RunSummary tells and publishes one where a
/// run takes a turn for the worse. Thread-safe; the services outlive it.
class TreeWatch final : public EventSink {
 public:
  explicit TreeWatch(TreeServices& services) : services_(services) {}

  void publish(const Event& event) override;
  [[nodiscard]] RunSummary summary(const std::string& occasion, const std::string& cause,
                                   const std::string& state) const;
  /// When the root began to stop, for whatever reason.
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> stopping_since() const;

 private:
  TreeServices& services_;
  mutable std::mutex mutex_;
  RunSummaryBuilder builder_;
  std::optional<std::chrono::system_clock::time_point> stopping_since_;
};

/// Publishes an event that no supervisor tells; what it returns is the cause of what follows.
Cause publish_for_tree(TreeServices& services, const std::string& path, const Cause& cause,
                       EventBody body);

}  // namespace espalier::supervisor
