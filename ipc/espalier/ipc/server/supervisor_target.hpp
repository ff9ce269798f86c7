#pragma once

#include "espalier/ipc/core/target.hpp"
#include "espalier/ipc/server/server.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace espalier::ipc {

/// A running tree as a service sees it: states are what its supervisors last published, commands go
/// through the handle, texts of strangers through the hooks of the options. Nothing waits for a
/// supervisor. `news` is called on a supervisor's thread while somebody follows.
class SupervisorTarget final : public Target {
 public:
  /// `info` has all but the epoch and the start, which the tree knows.
  SupervisorTarget(supervisor::SupervisorHandle handle, ServerOptions options, TargetInfo info,
                   std::function<void()> news);

  [[nodiscard]] TargetInfo info() override { return info_; }
  [[nodiscard]] expected<supervisor::TreeState, supervisor::Error> state(
      const supervisor::StateQuery& query) override;
  [[nodiscard]] std::uint64_t generation() override;
  [[nodiscard]] supervisor::HealthReport health() override;
  [[nodiscard]] supervisor::RunSummary summary() override;
  [[nodiscard]] expected<supervisor::Why, supervisor::Error> why(const std::string& path) override;
  [[nodiscard]] supervisor::EventPage events(std::uint64_t position, std::size_t limit) override;
  [[nodiscard]] std::uint64_t events_end() override;
  [[nodiscard]] LinePage lines(std::uint64_t position, std::size_t limit) override;
  [[nodiscard]] std::uint64_t lines_end() override;
  [[nodiscard]] std::vector<pipeline::PipelineRow> pipelines() override;
  [[nodiscard]] std::optional<ResourceInfo> resources(std::int64_t pid) override;
  [[nodiscard]] expected<supervisor::ChildSpec, WireError> read_child(
      const std::string& parent, const std::string& text) override;
  [[nodiscard]] expected<supervisor::SupervisorSpec, WireError> read_tree(
      const std::string& text) override;
  void execute(supervisor::Command command, Answer done) override;
  void report(supervisor::EventBody body) override { handle_.report(std::move(body)); }
  void watch(bool events, bool lines) override;

  /// Why the tree has ended; nothing: it has not.
  [[nodiscard]] std::optional<std::string> ended() const;

 private:
  supervisor::SupervisorHandle handle_;
  ServerOptions options_;
  TargetInfo info_;
  std::function<void()> news_;
  std::shared_ptr<void> event_watch_ = {};
  std::shared_ptr<void> line_watch_ = {};
};

}  // namespace espalier::ipc
