#pragma once

#include "espalier/supervisor/core/child_context.hpp"
#include "espalier/supervisor/core/child_factories.hpp"

#include <optional>
#include <string>

namespace espalier {

/// Lets blocking functions run in a process of their own (`isolation: process`). The problem: one
/// bad pointer ends a whole program. So the supervisor starts this same program once more and the
/// copy, as the first thing in its main, finds here that it is one and runs the function:
///
///     int main(int argc, char** argv) {
///       if (const auto code = espalier::child_main(argc, argv)) return *code;
///       ...
///
/// In an ordinary run: nothing happens and the result is nullopt. In a copy: runs the function
/// that the supervisor names until it ends, tells the supervisor how, and gives the exit code;
/// main must return it at once and do nothing else.
///
/// The function sees the same ChildContext, params included, as on a thread. A stop arrives as
/// stop_requested(); SIGTERM keeps its default action. The copy gets SIGKILL if its supervisor
/// dies. What a copy needs is registered before this line: nothing that main does later exists in
/// it, and objects at namespace scope are made anew in it.
///
/// Thread rule: from main, before any thread is started. Cost: an ordinary run looks at argv.
[[nodiscard]] std::optional<int> child_main(int argc, char** argv,
                                            const supervisor::ChildFactories& factories);

/// With the functions that RegisteredChild objects registered.
[[nodiscard]] std::optional<int> child_main(int argc, char** argv);

/// At namespace scope, registers a function before main begins, for child_main and for
/// registered_children. Two of one name end the program before main, with a message.
///
///     const espalier::RegisteredChild decoder{"decoder", [](ChildContext& context) { ... }};
class RegisteredChild {
 public:
  RegisteredChild(const std::string& name, supervisor::BlockingFunction run);
};

/// What RegisteredChild objects have registered: for Supervisor::start, which may be given more.
[[nodiscard]] supervisor::ChildFactories registered_children();

}  // namespace espalier
