#pragma once

#include "espalier/ipc/core/target.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/runtime/event_subscription.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace espalier::ipc::internal {

/// The events a target keeps, looked up by sequence. They are kept in the order in which they came,
/// which is nearly that of their sequences; what this class gives is in the order of the sequences.
/// Holds nothing itself.
class KeptEvents {
 public:
  /// Events stand at most so far from where their sequence would put them. One that stands further
  /// off counts as lost, and its hole is told.
  static constexpr std::uint64_t slack = 256;
  static constexpr std::size_t page_size = 2 * slack;

  explicit KeptEvents(Target& target) : target_(target) {}

  /// Events that are not kept any more; also the position of the first that is.
  [[nodiscard]] std::uint64_t lost() const { return target_.events(0, 0).lost; }
  /// The least sequence that is kept; 0: none is.
  [[nodiscard]] std::uint64_t first_sequence() const;
  /// A position before which there is none that comes after `sequence`.
  [[nodiscard]] std::uint64_t position_after(std::uint64_t sequence) const;

  struct Found {
    std::vector<supervisor::Event> events = {};  ///< Oldest first.
    bool more = false;                           ///< Others would fit.
  };
  using Filter = supervisor::EventFilter;
  /// The newest `limit` that fit and come before `sequence`.
  [[nodiscard]] Found newest(const Filter& filter, std::uint64_t before, std::size_t limit) const;
  /// The oldest `limit` that fit and come after `sequence`.
  [[nodiscard]] Found oldest(const Filter& filter, std::uint64_t after, std::size_t limit) const;

 private:
  Target& target_;
};

/// The filter of a request; the error names what is wrong with it.
[[nodiscard]] expected<supervisor::EventFilter, WireError> filter_of(
    const std::optional<WireEventFilter>& wire);
/// The same of a path alone.
[[nodiscard]] expected<supervisor::EventFilter, WireError> path_filter(
    const std::optional<std::string>& path, const char* field);

[[nodiscard]] WireError invalid_params(std::string message);

/// Answers events.query.
[[nodiscard]] expected<EventsPage, WireError> query_events(Target& target,
                                                           const EventsQueryParams& params);

}  // namespace espalier::ipc::internal
