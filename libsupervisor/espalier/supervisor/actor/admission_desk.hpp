#pragma once

#include "espalier/supervisor/actor/child_protocol.hpp"
#include "espalier/supervisor/core/admission.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>

namespace espalier::supervisor {

/// The AdmissionGate of a tree, shared by its supervisors. It has no timer of its own: each
/// supervisor calls `poll` at `next_deadline` while it waits for an answer.
///
/// Thread rule: every member may be called from any thread.
class AdmissionDesk {
 public:
  explicit AdmissionDesk(const AdmissionSpec& spec) : gate_(spec) {}

  /// For the child at `path`; answered by input::Admitted on `line`.
  void request(const std::shared_ptr<ReportLine>& line, const std::string& path,
               const effect::RequestAdmission& what, TimePoint now);
  void end(const std::shared_ptr<ReportLine>& line, const effect::EndAdmission& what,
           TimePoint now);
  /// The supervisor of this line is gone with all it had asked for.
  void drop(const std::shared_ptr<ReportLine>& line, TimePoint now);
  void poll(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;

 private:
  using Key = std::tuple<const ReportLine*, ChildIndex, std::uint64_t>;
  struct Waiter {
    std::shared_ptr<ReportLine> line = {};
    input::Admitted answer = {};
  };

  void admit(TimePoint now);

  mutable std::mutex mutex_;
  AdmissionGate gate_;
  AdmissionGate::Id last_ = 0;
  std::map<Key, AdmissionGate::Id> ids_;
  std::unordered_map<AdmissionGate::Id, Waiter> waiters_;
};

}  // namespace espalier::supervisor
