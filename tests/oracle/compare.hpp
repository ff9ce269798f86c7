#pragma once

#include "oracle/otp.hpp"
#include "oracle/scenario.hpp"

#include <string>

namespace espalier::oracle {

/// Without what OTP and we order differently on purpose: a child that does not hear its stop is
/// killed at once there, and here together with the others like it once all have been asked. So
/// the kills that follow a stop stand last. Instances of a pool are stopped in no order at all.
[[nodiscard]] Trace comparable_part(const Trace& trace);

[[nodiscard]] bool agree(const Trace& otp, const Trace& ours);

/// Each action, and below it what came of it: OTP left, ours right, `!` where they differ.
[[nodiscard]] std::string side_by_side(const Scenario& scenario, const Trace& otp,
                                       const Trace& ours);

/// The same scenario without the actions and children that it does not need to differ.
[[nodiscard]] Scenario reduced(Scenario scenario, const Otp& otp);

}  // namespace espalier::oracle
