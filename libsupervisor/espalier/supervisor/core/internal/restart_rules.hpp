#pragma once

#include "espalier/supervisor/core/backoff.hpp"
#include "espalier/supervisor/core/decision.hpp"
#include "espalier/supervisor/core/restart_window.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/core/token_bucket.hpp"

#include <cstdint>

/// The rules of a restart, one function each, for whichever engine decides: each leaves what it
/// counted in the decision. Those that can forbid a restart answer true where they do, with verdict
/// and deciding rule set.
namespace espalier::supervisor::restart_rules {

[[nodiscard]] bool restart_type(RestartDecision& d);
/// on_fatal_config, on_fatal_bug, on_timeout.
[[nodiscard]] bool category(const ChildPolicy& policy, RestartDecision& d);
/// Counts one restart against `limit`. The verdict is left to the caller.
[[nodiscard]] bool limit(Rule rule, const RestartLimit& limit, RestartWindow& window, TimePoint now,
                         RestartDecision& d);
[[nodiscard]] Verdict verdict_of(OnExhausted what);
/// Takes a token; the answer is when it may be used.
[[nodiscard]] TimePoint budget(Rule rule, TokenBucket& bucket, TimePoint now, RestartDecision& d);
/// An optional child never takes its supervisor down; a critical one that may not restart does.
void severity(const ChildPolicy& policy, RestartDecision& d);
/// The delay and with it the verdict. A token that comes later than the back-off ends makes the
/// restart a queued one.
void backoff(const ChildPolicy& policy, std::uint32_t& in_a_row, Duration& last_delay,
             TimePoint token_at, TimePoint now, RandomSource& random, RestartDecision& d);

}  // namespace espalier::supervisor::restart_rules
