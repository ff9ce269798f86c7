#pragma once

#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier::supervisor {

/// Lets the restarts of a whole tree in, one after another in the order of the requests.
///
/// The problem: when what everybody depends on comes back, all restart at once, and the herd
/// brings it down again. Here a restart waits for a free place (`max_concurrent_starts`) and a
/// token (`restarts_per_second`, `burst` at once); none is lost.
///
/// A supervisor that is being restarted has a place until it is up, and so do the restarts below
/// it that it waits for. So that it cannot keep them out, it gives up its own for the first of
/// them.
///
/// Pure: call `admitted` after `request` and `end` and once `next_deadline` is reached.
/// Thread rule: none of its own; one caller at a time. Cost of a call: O(log n) in those that wait,
/// and O(n) of a request in the places there are.
class AdmissionGate {
 public:
  using Id = std::uint64_t;

  explicit AdmissionGate(AdmissionSpec spec);

  /// Asks for a place for the child at `path`; a second request of the same id joins the first.
  void request(Id id, const std::string& path, TimePoint now);
  /// Takes a request back, or says that an admitted one is through. Unknown ids change nothing.
  void end(Id id);
  /// Who is let in now; each once.
  [[nodiscard]] std::vector<Id> admitted(TimePoint now);
  /// When time alone lets the next one in; absent: nobody waits, or only for a place.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
  [[nodiscard]] std::size_t inside() const { return inside_.size(); }

 private:
  void refill(TimePoint now);
  [[nodiscard]] bool has_place() const;
  void give_up_above(const std::string& path);

  AdmissionSpec spec_;
  double tokens_;
  std::optional<TimePoint> refilled_;
  std::uint64_t last_turn_ = 0;
  struct Waiting {
    Id id = 0;
    std::string path = {};
  };
  std::map<std::uint64_t, Waiting> queue_;  // By turn.
  std::unordered_map<Id, std::uint64_t> turns_;
  std::unordered_map<Id, std::string> inside_;  // With its path.
};

}  // namespace espalier::supervisor
