#pragma once

#include "espalier/pipeline/core/options.hpp"

#include <cstddef>
#include <cstdint>

namespace espalier::pipeline {

/// How many workers a stage should have, found by trying. While items wait, it changes their
/// number by a quarter and looks at what came through: more workers stay if they brought a fair
/// share of what they could, fewer stay if they cost less than that. A change that was not worth
/// it is taken back, and the next try, in the other direction, waits (ever longer while nothing
/// is worth it). When attempts become much slower it withdraws a quarter at once, for then the
/// workers are in each other's way; when nobody waits it lets idle ones go, one by one.
class AdaptiveLimit {
 public:
  /// What happened at the stage since the last step.
  struct Load {
    std::size_t queued = 0;  ///< Waiting now.
    std::uint64_t attempts = 0;
    Duration service = {};  ///< Of these attempts together.
  };

  AdaptiveLimit(const AdaptiveOptions& options, std::uint32_t now);

  [[nodiscard]] std::uint32_t limit() const { return limit_; }
  /// The new limit, after `passed` with the old one.
  std::uint32_t step(const Load& load, Duration passed);
  /// Somebody else has set the number of workers.
  void set(std::uint32_t workers);

 private:
  [[nodiscard]] bool was_worth_it(double rate) const;
  [[nodiscard]] bool became_slow(double seconds_each);
  void judge(double rate);
  void try_another(double rate);
  void move_to(std::uint32_t workers);
  void rest();

  AdaptiveOptions options_;
  std::uint32_t limit_;
  std::uint32_t before_;      ///< The last try.
  double rate_before_ = 0;    ///< Attempts per second then.
  double usual_seconds_ = 0;  ///< Of an attempt, as it was lately.
  bool trying_ = false;       ///< The last step changed the number.
  bool upwards_ = true;       ///< Where the next try goes.
  std::uint32_t pause_ = 0;   ///< Steps until then.
  std::uint32_t patience_ = 1;
};

}  // namespace espalier::pipeline
