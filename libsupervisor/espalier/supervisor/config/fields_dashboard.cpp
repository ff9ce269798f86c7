#include "espalier/supervisor/config/internal/fields.hpp"
#include "espalier/supervisor/config/internal/value_dashboard.hpp"

namespace espalier::supervisor {

namespace internal {

namespace {

constexpr std::size_t longest_path = 107;  ///< What a socket's address holds.

const Words<BindMode>& bind_modes() {
  static const Words<BindMode> words{{BindMode::create_new, "create_new"},
                                     {BindMode::replace_stale, "replace_stale"}};
  return words;
}

void describe_rule(FieldVisitor& v, const std::string& key, const std::string& help,
                   PeerRule& rule) {
  v.group({key, help}, "", [&](FieldVisitor& inner) {
    inner.value({"uids", "Users, by number or name.", "[alice]"},
                account_list_value(rule.uids, Account::user));
    inner.value({"gids", "Groups, by number or name.", "[operators]"},
                account_list_value(rule.gids, Account::group));
  });
}

void describe_rates(FieldVisitor& v, DashboardSecurity& security) {
  v.value({"requests_per_second", "Of one connection, in the long run."},
          decimal_value(security.requests_per_second, 0, 1'000'000));
  v.value({"request_burst", "Requests at once before that rate holds."},
          number_value(security.request_burst, 1, 1'000'000));
  v.value({"uid_requests_per_second", "Of all connections of one user."},
          decimal_value(security.uid_requests_per_second, 0, 1'000'000));
  v.value({"uid_request_burst", "The same for one user."},
          number_value(security.uid_request_burst, 1, 1'000'000));
}

void describe_bounds(FieldVisitor& v, DashboardSecurity& security) {
  v.value({"max_line_bytes", "Longest request."},
          size_value(security.max_line_bytes, 256, 16UL << 20U));
  describe_rates(v, security);
  v.value({"max_connections", "At a time; some are kept for root and our own user."},
          number_value(security.max_connections, 1, 65'536));
  v.value({"max_connections_per_uid", "Of one user."},
          number_value(security.max_connections_per_uid, 1, 65'536));
  v.value({"idle_timeout", "Without a request or a subscription; 0s: none."},
          duration_value(security.idle_timeout, Zero::allowed));
  v.value({"line_timeout", "From the first byte of a request to its end."},
          duration_value(security.line_timeout, Zero::refused));
  v.value({"stall_timeout", "For a reader that takes nothing of what waits for it."},
          duration_value(security.stall_timeout, Zero::refused));
  v.value({"max_queued_bytes", "What may wait for one reader."},
          size_value(security.max_queued_bytes, 4096, 1UL << 30U));
  v.value({"max_queued_events", "Events that may wait for one reader; then a gap is announced."},
          number_value(security.max_queued_events, 1, 1'000'000));
}

void describe_security(FieldVisitor& v, DashboardSecurity& security) {
  describe_rule(v, "read", "Who may look; root and the user of the tree always may do everything.",
                security.read);
  describe_rule(v, "write", "Who may also restart, pause, resume, quarantine and scale.",
                security.write);
  describe_rule(v, "dangerous", "Who may also add, remove, reload and shut down.",
                security.dangerous);
  describe_bounds(v, security);
  v.value({"replay_window", "A request_id of a connection counts as seen so long."},
          duration_value(security.replay_window, Zero::refused));
  v.value({"command_lifetime", "The answer to a command_id is kept so long."},
          duration_value(security.command_lifetime, Zero::refused));
  v.value({"allowed_commands",
           "Programs that children added over the socket may run; none: no "
           "process can be added.",
           "[/usr/bin/rsync]"},
          program_list_value(security.allowed_commands));
  v.value({"audit_file", "Where commands and refusals are kept; left out: in memory.",
           "/var/log/espalier/shop.audit"},
          text_value(security.audit_file));
  v.value({"audit_capacity", "Records kept in memory."},
          number_value(security.audit_capacity, 1, 1'000'000));
}

void describe_registration(FieldVisitor& v, RegistrationSpec& registration) {
  v.value({"path", "Socket of the relay; left out: none.", "/run/espalier-relay/targets.sock"},
          path_value(registration.path, longest_path));
  v.value({"lease", "How long the relay knows the tree without hearing of it."},
          duration_value(registration.lease, Zero::refused));
  v.value({"initial_backoff", "Before the first try to connect again."},
          duration_value(registration.initial_backoff, Zero::refused));
  v.value({"max_backoff", "Between tries, at most."},
          duration_value(registration.max_backoff, Zero::refused));
}

}  // namespace

void describe_dashboard(FieldVisitor& v, DashboardSpec& spec) {
  v.value({"enabled", "Listen; true where this section stands and does not say otherwise.", "true"},
          flag_value(spec.enabled));
  v.value({"target_id", "What clients call this tree; left out: the name of the root.", "shop-a"},
          target_id_value(spec.target_id));
  v.value({"display_name", "What people are shown; left out: target_id.", "Shop, first floor"},
          text_value(spec.display_name));
  v.value({"path",
           "The socket; left out: TARGET_ID.sock in $XDG_RUNTIME_DIR/espalier, for root "
           "/run/espalier, else /tmp/espalier-UID.",
           "/run/espalier/shop.sock"},
          path_value(spec.path, longest_path));
  v.value({"permissions", "Mode of the socket's file."}, mode_value(spec.permissions));
  v.value({"bind_mode",
           "Where something is at the path already: fail, or replace a socket of ours that nobody "
           "answers on."},
          word_value<BindMode>(spec.bind_mode, bind_modes()));
  v.value({"log_capacity", "Lines of output kept for whoever asks."},
          number_value(spec.log_capacity, 1, 1'000'000));
  v.group({"security", "Who may do what, and how much of it."}, "",
          [&](FieldVisitor& inner) { describe_security(inner, spec.security); });
  v.group({"registration", "Where the tree makes itself known."}, "",
          [&](FieldVisitor& inner) { describe_registration(inner, spec.registration); });
}

std::vector<SpecProblem> dashboard_problems(const DashboardSpec& spec, const std::string& root) {
  std::vector<SpecProblem> problems;
  if (spec.enabled && spec.target_id.empty() && root.size() > longest_target_id) {
    problems.push_back({{"target_id"},
                        "the root's name is longer than " + std::to_string(longest_target_id) +
                            " bytes and cannot stand for it; give a target_id",
                        true});
  }
  if (spec.registration.max_backoff < spec.registration.initial_backoff) {
    problems.push_back({{"registration.max_backoff", "registration.initial_backoff"},
                        "is below initial_backoff, " +
                            render_duration(spec.registration.initial_backoff) +
                            "; raise the one or lower the other"});
  }
  return problems;
}

}  // namespace internal

const char* to_string(BindMode x) {
  for (const auto& [mode, word] : internal::bind_modes()) {
    if (mode == x) return word.c_str();
  }
  return "unknown";
}

}  // namespace espalier::supervisor
