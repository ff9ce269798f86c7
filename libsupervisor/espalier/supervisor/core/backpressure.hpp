#pragma once

#include "espalier/supervisor/core/backpressure_spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace espalier::supervisor {

/// Decides for one reader of events what becomes of the next one, by how much waits for it already.
///
/// The problem: a reader that is too slow must cost only itself, and nobody should learn of it from
/// what is missing later. So its owner is told while there is still room, and what is left out is
/// known to the event.
///
/// Pure: told what waits, how much may, and the time. Not thread-safe. Cost: constant.
class Backpressure {
 public:
  enum class Level : std::uint8_t { normal, warn, critical };
  struct Alert {
    Level level = Level::normal;  ///< Normal: it keeps up again.
    std::uint32_t fill_pct = 0;
  };
  enum class Take : std::uint8_t {
    keep,
    leave_out,  ///< A sample is kept, and this event is not of it.
    block,      ///< Hand over nothing until `keep` comes again: at less than the warn threshold.
  };
  struct Verdict {
    Take take = Take::keep;
    std::optional<Alert> alert = {};
  };

  explicit Backpressure(const BackpressureSpec& spec) : spec_(spec) {}

  /// An event is there. It is told once for each that is offered, blocked ones too.
  [[nodiscard]] Verdict offer(std::size_t waiting, std::size_t capacity, TimePoint now);
  [[nodiscard]] Level level() const { return level_; }
  /// Events are blocked or left out.
  [[nodiscard]] bool is_limiting() const { return limiting_; }

 private:
  [[nodiscard]] std::optional<Alert> alert_for(std::uint32_t fill_pct, TimePoint now);
  [[nodiscard]] Take take();

  BackpressureSpec spec_;
  Level level_ = Level::normal;
  bool limiting_ = false;
  double owed_ = 0;    ///< Part of an event that the sample still has to get.
  bool told_ = false;  ///< Of this episode somebody knows.
  std::array<std::optional<TimePoint>, 3> told_at_ = {};  ///< By level.
};

[[nodiscard]] const char* to_string(Backpressure::Level x);  ///< "recovered", "warn", "critical".

}  // namespace espalier::supervisor
