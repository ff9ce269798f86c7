#pragma once

#include "espalier/ipc/core/authorisation.hpp"
#include "espalier/ipc/core/internal/auditor.hpp"
#include "espalier/ipc/core/internal/commands.hpp"
#include "espalier/ipc/core/internal/connection.hpp"
#include "espalier/ipc/core/internal/subscriptions.hpp"
#include "espalier/ipc/core/internal/users.hpp"
#include "espalier/ipc/core/target.hpp"
#include "espalier/ipc/wire/envelope.hpp"
#include "espalier/ipc/wire/methods.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::ipc::internal {

/// A line from its rate (C6) to its answer: parsing, replay (C4), method, authorisation (C3),
/// parameters; then a command goes to `Commands`, everything else is answered here. The table of
/// methods says what is needed for each; refusals by controls are audited (C7).
class Requests {
 public:
  struct Parts {
    const supervisor::DashboardSecurity& rules;
    Target& target;
    const Authorisation& authorisation;
    Auditor& audit;
    Users& users;
    Commands& commands;
    Subscriptions& subscriptions;
    ServiceFigures* figures = nullptr;  ///< Null: nothing is counted.
  };
  Requests(Parts parts, Commands::Send send);

  void serve(Connection& from, std::string_view line, const Moment& at);
  /// Answers a line that cannot be cut (C5).
  void refuse_long_line(Connection& from, const Moment& at);
  /// A refusal before there was a connection.
  void note_refused_peer(const Peer& peer, const WireError& error, const Moment& at);

 private:
  struct Call {
    Connection& from;
    const Moment& at;
    Request request = {};
    const MethodInfo* method = nullptr;
    std::optional<ErrorCode> refused = {};  ///< A command, by `Commands`, which has answered.
  };
  using Problem = std::optional<WireError>;
  using Result = expected<std::string, WireError>;
  using Handler = Result (Requests::*)(const Call&);

  [[nodiscard]] Problem rate_problem(Connection& from, const Moment& at);
  [[nodiscard]] Problem parse(Call& call, std::string_view line) const;
  [[nodiscard]] Problem admit(Call& call);
  [[nodiscard]] Problem answer(Call& call);
  [[nodiscard]] Problem start_command(Call& call);
  void refuse(const Call& call, const WireError& error);
  void audit(const Call& call, const WireError& error);

  [[nodiscard]] static Handler handler_of(std::string_view method);
  [[nodiscard]] Result hello(const Call& call);
  [[nodiscard]] Result ping(const Call& call);
  [[nodiscard]] Result health(const Call& call);
  [[nodiscard]] Result pipelines(const Call& call);
  [[nodiscard]] Result state(const Call& call);
  [[nodiscard]] Result subscribe_state(const Call& call);
  [[nodiscard]] Result subscribe_events(const Call& call);
  [[nodiscard]] Result query_events(const Call& call);
  [[nodiscard]] Result tail_logs(const Call& call);
  [[nodiscard]] Result unsubscribe(const Call& call);
  [[nodiscard]] Result why(const Call& call);
  [[nodiscard]] Result query_audit(const Call& call);

  Parts with_;
  Commands::Send send_;
  std::string target_id_;
  /// By what a peer may do; nothing else of it changes.
  std::map<std::vector<MethodClass>, std::string> hellos_ = {};
};

}  // namespace espalier::ipc::internal
