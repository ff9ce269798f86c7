#pragma once

#include "espalier/supervisor/core/exit_record.hpp"

#include <caf/fwd.hpp>

#include <exception>

namespace espalier::supervisor {

/// The exit reason that carries an exception's text, and the category of a ChildFailure, to
/// `exit_record_of`.
[[nodiscard]] caf::error reason_of(const std::exception_ptr& thrown);

/// What an actor's exit reason says about how it ended.
[[nodiscard]] ExitRecord exit_record_of(const caf::error& reason, const caf::actor_system& system);

/// The end of a call that threw: failed with its category, or panicked with its text.
[[nodiscard]] ExitRecord exit_record_of(const std::exception_ptr& thrown);

}  // namespace espalier::supervisor
