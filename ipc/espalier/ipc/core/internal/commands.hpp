#pragma once

#include "espalier/ipc/core/command_ledger.hpp"
#include "espalier/ipc/core/internal/auditor.hpp"
#include "espalier/ipc/core/peer.hpp"
#include "espalier/ipc/core/service.hpp"
#include "espalier/ipc/core/target.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/ipc/wire/methods.hpp"
#include "espalier/supervisor/config/dashboard_spec.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::ipc::internal {

/// Every request is served at one moment.
struct Moment {
  supervisor::TimePoint now = {};
  Timestamp wall = {};
};

/// From a command that may be sent at all to its answer: confirmation, parameters, the ledger (C8),
/// the allow list (C9), fencing, the audit (C7), execution, the wait for its end.
///
/// A command runs once, whoever waits for it: the connection that sent it may go, another one may
/// come with the same command_id and wait with it. Its end comes on any thread, through `Post`; if
/// this object is gone by then, nothing happens.
class Commands : public std::enable_shared_from_this<Commands> {
 public:
  /// A line for a connection, which may be gone.
  using Send = std::function<void(ConnectionId, std::string)>;
  Commands(const supervisor::DashboardSecurity& rules, Target& target, Auditor& audit,
           Service::Post post, Send send);

  /// One request.
  struct Call {
    ConnectionId connection = 0;
    Peer peer = {};
    std::string id_json = {};
    std::string id = {};
    const MethodInfo* method = nullptr;
    CommandParams params = {};
  };
  /// Answers it, now or later; with why, where it was refused now.
  std::optional<ErrorCode> start(Call call, const Moment& at);
  /// Answers what has ended since the last call, and those who have waited long enough.
  void tick(const Moment& at);
  [[nodiscard]] std::optional<supervisor::TimePoint> next_deadline() const;

  [[nodiscard]] bool is_waited_for(ConnectionId connection) const;
  /// The connection is gone; what it asked for goes on.
  void close(ConnectionId connection);
  /// The target has ended: nobody need wait any more.
  void end(const std::string& reason);

 private:
  static constexpr std::size_t most_running_of_a_user = 256;
  static constexpr std::size_t ledger_capacity = 4096;

  struct Waiter {
    ConnectionId connection = 0;
    std::string id_json = {};
    supervisor::TimePoint deadline = {};
    bool repeated = false;
  };
  struct Running {
    AuditRecord record = {};  ///< What is the same in all records about it.
    std::uint32_t uid = 0;
    std::string command_id = {};
    std::vector<Waiter> waiters = {};
  };
  using Ticket = std::uint64_t;
  using Problem = std::optional<WireError>;

  [[nodiscard]] Problem admit(Call& call, const Moment& at);
  [[nodiscard]] Problem run(const Call& call, const Moment& at);
  [[nodiscard]] Problem check_room(std::uint32_t uid) const;
  void repeat(const Call& call, const CommandAnswer& answer, const Moment& at);
  void execute(supervisor::Command command, const Call& call, const Moment& at);
  void wait(Ticket ticket, const Call& call, bool repeated, const Moment& at);
  void ended(Ticket ticket, const supervisor::CommandResult& result);
  void finish(Ticket ticket, const supervisor::CommandResult& result, const Moment& at);
  void give_up(Running& running, const Moment& at);
  void reply(const Waiter& waiter, CommandAnswer answer);
  [[nodiscard]] AuditRecord record_of_call(const Call& call, const Moment& at) const;
  void name(CommandParams& params, std::uint32_t uid, const std::string& content, const Moment& at,
            CommandLedger::Look& look);

  const supervisor::DashboardSecurity& rules_;
  Target& target_;
  Auditor& audit_;
  Service::Post post_;
  Send send_;
  std::string target_id_;
  CommandLedger ledger_;
  std::uint64_t names_ = 0;
  Ticket tickets_ = 0;
  std::map<Ticket, Running> running_ = {};
  std::map<std::pair<std::uint32_t, std::string>, Ticket> by_id_ = {};
  std::vector<std::pair<Ticket, supervisor::CommandResult>> ended_ = {};
};

}  // namespace espalier::ipc::internal
