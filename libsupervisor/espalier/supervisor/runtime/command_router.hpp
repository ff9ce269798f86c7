#pragma once

#include "espalier/supervisor/actor/tree_services.hpp"
#include "espalier/supervisor/core/command.hpp"

#include <memory>
#include <string>

namespace espalier::supervisor {

/// Finds the supervisor a command is for, checks what can be checked before it, and hands it over.
///
/// Thread rule: every member may be called from any thread.
class CommandRouter {
 public:
  using Answer = CommandDesk::Answer;

  explicit CommandRouter(std::shared_ptr<TreeServices> services) : services_(std::move(services)) {}

  /// `done` is called exactly once: at once where the command is refused here, else on the
  /// supervisor's thread.
  void execute(Command command, Answer done) const;

  /// What can be said against it before it is handed to anybody.
  [[nodiscard]] std::optional<Error> problem_of(const Command& command) const;
  /// Whether it adds an instance to a pool.
  [[nodiscard]] bool is_instance(const Command& command) const;

  /// Hands it to the supervisor at `supervisor`, about its child of that name, or about itself.
  void order(const std::string& supervisor, const std::string& child, Command command,
             Answer done) const;

 private:
  void to_child(Command command, Answer done) const;
  [[nodiscard]] Error no_supervisor(const std::string& path) const;

  std::shared_ptr<TreeServices> services_;
};

}  // namespace espalier::supervisor
