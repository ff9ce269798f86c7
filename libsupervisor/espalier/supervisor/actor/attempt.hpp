#pragma once

#include "espalier/supervisor/actor/child_protocol.hpp"
#include "espalier/supervisor/core/child_context.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <map>
#include <memory>
#include <stop_token>
#include <string>

namespace espalier::supervisor {

/// What identifies one attempt of a child and leads back to its supervisor.
struct AttemptId {
  std::string path = {};
  ChildIndex child = 0;
  Generation generation = 0;
  std::uint64_t attempt = 0;
  std::shared_ptr<ReportLine> line = {};
};

/// The context of `actor` and `blocking` children. Shares the spec and the line with its
/// siblings, so that a hundred thousand of them stay small.
class Attempt final : public ChildContext {
 public:
  Attempt(AttemptId id, std::shared_ptr<const ChildSpec> spec);

  /// Stop callbacks run on the caller's thread.
  void request_stop() { stop_.request_stop(); }
  void report_exit(const ExitRecord& exit);

  [[nodiscard]] const std::string& path() const override { return id_.path; }
  [[nodiscard]] std::uint64_t generation() const override { return shown(id_.generation); }
  [[nodiscard]] std::uint64_t attempt() const override { return id_.attempt; }
  [[nodiscard]] const std::map<std::string, std::string>& params() const override {
    return spec_->params;
  }
  [[nodiscard]] bool stop_requested() const override { return stop_.stop_requested(); }
  [[nodiscard]] std::stop_token stop_token() const override { return stop_.get_token(); }
  bool sleep_for(Duration d) override;
  [[nodiscard]] Duration heartbeat_interval() const override;
  void request_restart(const std::string& reason) override;
  void request_tree_shutdown(const std::string& reason) override;
  void report_ready() override;
  void report_alive() override;
  void report_status(const std::string& text) override;

 private:
  AttemptId id_;
  std::shared_ptr<const ChildSpec> spec_;
  std::stop_source stop_;
};

}  // namespace espalier::supervisor
