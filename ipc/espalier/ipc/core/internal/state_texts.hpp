#pragma once

#include "espalier/ipc/core/snapshot_of.hpp"
#include "espalier/ipc/core/target.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::ipc::internal {

/// What a reader of states asks for.
struct StateWant {
  std::string path = "/";
  std::optional<std::uint64_t> depth = {};
  bool resources = false;
  auto operator<=>(const StateWant&) const = default;
};

/// What must be remembered of a state to tell later what has changed: paths, and a hash of each
/// node's text. A twentieth of the text itself; two texts of one hash are one in 2^64.
struct StateMarks {
  std::uint64_t generation = 0;
  std::string paths = {};  ///< JSON strings, one after another.
  struct Row {
    std::size_t path_begin = 0;
    std::size_t path_end = 0;
    std::uint64_t hash = 0;
  };
  std::vector<Row> rows = {};
  std::uint64_t rest = 0;  ///< Hash of the counts and the state of the tree.
  [[nodiscard]] std::string_view path(const Row& row) const {
    return std::string_view{paths}.substr(row.path_begin, row.path_end - row.path_begin);
  }
};

/// One snapshot as text. Shared by all who asked for the same.
struct StateText {
  std::uint64_t mark = 0;  ///< Events that had come by then.
  std::uint64_t generation = 0;
  supervisor::TimePoint made_at = {};
  std::shared_ptr<const std::string> tail = {};  ///< The snapshot and a closing brace.
  std::vector<SnapshotText::Slice> nodes = {};
  std::string state = {};
  std::map<std::string, std::uint64_t> counts = {};
};

/// Makes the texts of states, once for all who want the same at the same time.
class StateTexts {
 public:
  using Ptr = std::shared_ptr<const StateText>;
  using Marks = std::shared_ptr<const StateMarks>;
  explicit StateTexts(Target& target) : target_(target) {}

  /// Grows with every change that a state shows. A tree shows a change before it tells of it, so
  /// a text made at a mark has all that happened before.
  [[nodiscard]] std::uint64_t mark() { return target_.events_end(); }
  [[nodiscard]] expected<Ptr, WireError> get(const StateWant& want, supervisor::TimePoint now,
                                             Timestamp wall);
  [[nodiscard]] Marks marks_of(const Ptr& text);
  /// The rest of a StateDeltaPush from one to the other; null: nothing has changed.
  [[nodiscard]] std::shared_ptr<const std::string> delta(const Marks& from, const Ptr& to);
  /// Nobody is there any more.
  void forget();

 private:
  [[nodiscard]] expected<Ptr, WireError> make(const StateWant& want, supervisor::TimePoint now,
                                              Timestamp wall);
  [[nodiscard]] bool is_fresh(const StateWant& want, const StateText& text,
                              supervisor::TimePoint now);
  [[nodiscard]] std::chrono::nanoseconds offset(supervisor::TimePoint now, Timestamp wall);
  [[nodiscard]] std::optional<ShutdownInfo> shutdown_info(const supervisor::HealthReport& health,
                                                          const supervisor::PhaseCounts& counts);
  Target& target_;
  std::map<StateWant, Ptr> texts_ = {};
  std::pair<Ptr, Marks> last_marks_ = {};
  struct LastDelta {
    Marks from = {};
    Ptr to = {};
    std::shared_ptr<const std::string> tail = {};
  } last_delta_ = {};
  std::optional<std::chrono::nanoseconds> offset_ = {};
};

}  // namespace espalier::ipc::internal
