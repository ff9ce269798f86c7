#pragma once

#include "espalier/supervisor/actor/child.hpp"
#include "espalier/supervisor/core/child_context.hpp"

#include <functional>
#include <memory>

namespace espalier::supervisor {

/// Begins an attempt that is a function on a thread of its own. A stop sets the stop token and
/// calls `stop`; an abort does the same with `abort`; either may be empty. Neither may block.
/// Throws when there is no thread to be had.
[[nodiscard]] std::unique_ptr<Child> start_on_thread(ChildStart start, BlockingFunction run,
                                                     std::function<void()> stop,
                                                     std::function<void()> abort);

}  // namespace espalier::supervisor
