#pragma once

#include "espalier/supervisor/actor/child.hpp"

#include <memory>

namespace espalier::supervisor {

/// Carries what the host's thread sees of a process to its supervisor; output does not pass
/// through it.
[[nodiscard]] std::shared_ptr<ProcessListener> make_process_listener(
    AttemptId id, std::shared_ptr<OutputSink> output);

/// The child whose process the host launches for `request`.
[[nodiscard]] std::unique_ptr<Child> launch_process(ProcessHost& host, LaunchRequest request);

}  // namespace espalier::supervisor
