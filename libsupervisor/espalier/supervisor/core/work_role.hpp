#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <string>

namespace espalier::supervisor {

/// Puts a role's pack over a policy: restart, limit and what follows it, initial and longest delay,
/// jitter, what a time-out does, severity. Everything else stays. What a user says of a child goes
/// over the pack, the pack over a supervisor's defaults.
///
///   service     permanent, 10 restarts a minute, critical
///   worker      transient,  3 restarts a minute, standard
///   job         transient,  1 restart a minute,  optional; a time-out escalates
///   sidecar     permanent,  5 restarts a minute, standard
///   supervisor  permanent,  3 restarts a minute, critical
///
/// All: a used-up limit escalates, delays from 50 ms to 5 s with full jitter. An optional child
/// never escalates, so a job past its limit is quarantined.
void apply_role(WorkRole role, ChildPolicy& policy);

/// The pack over the defaults: for `ChildSpec::policy` in code.
[[nodiscard]] ChildPolicy policy_for(WorkRole role);

/// What is odd about a child for its role, as a sentence; empty: nothing. It runs all the same.
[[nodiscard]] std::string role_warning(const ChildSpec& child);

}  // namespace espalier::supervisor
