#pragma once

#include "espalier/cli/remote/session.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// Sends the commands of one verb, prints what came of each and keeps the worst exit status.
class Commander {
 public:
  Commander(const RemoteOptions& options, const Terminal& terminal, std::string verb);

  /// Connects. False: it has been said why, and `code` holds the status.
  [[nodiscard]] bool connect();
  [[nodiscard]] Session& session() { return *session_; }

  /// What every command of this verb says: who, why, and how it may be carried out.
  [[nodiscard]] ipc::CommandParams params(const std::string& path = {}) const;
  /// Asks the person, or refuses where nobody can be asked and --yes was not said.
  [[nodiscard]] bool may(const std::string& question);
  [[nodiscard]] expected<Reply<ipc::CommandAnswer>, Failure> ask(const std::string& method,
                                                                 const ipc::CommandParams& params);
  /// `ask`, and prints what came of it. `place`: what to call it where there is no path.
  void send(const std::string& method, const ipc::CommandParams& params, const std::string& place);
  void print(const std::string& place, const Reply<ipc::CommandAnswer>& reply);
  /// Ends the output, says how many of several failed, and answers with the exit status.
  [[nodiscard]] int finish(bool several = false);
  int fail(const Failure& failure);

 private:
  const RemoteOptions& options_;
  const Terminal& terminal_;
  std::string verb_;
  std::string user_;
  supervisor::Duration timeout_ = {};
  std::optional<Session> session_;
  std::vector<ipc::Json> answers_;
  std::size_t sent_ = 0;
  std::size_t failed_ = 0;
  int code_ = 0;
};

/// The name this user logs in with.
[[nodiscard]] std::string login_name();

}  // namespace espalier::cli
