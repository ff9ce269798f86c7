#include "espalier/cli/remote/diagnose.hpp"

#include "espalier/cli/remote/words.hpp"
#include "espalier/supervisor/observe/json_object.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <tuple>

namespace espalier::cli {
namespace {

using ipc::Json;
using ipc::Lifecycle;
using ipc::NodeInfo;
using supervisor::ChildPhase;
using Rank = Finding::Rank;

constexpr std::uint64_t loop_restarts = 3;
constexpr std::uint64_t storm_failures = 10;
constexpr auto storm_window = std::chrono::minutes{1};
constexpr auto recent = std::chrono::hours{1};
constexpr auto long_start = std::chrono::seconds{30};
constexpr auto long_stop = std::chrono::seconds{30};
constexpr auto long_wait = std::chrono::seconds{60};

std::string text_of(const Json& json, const char* key) {
  const auto field = json.find(key);
  return field != json.end() && field->is_string() ? field->get<std::string>() : "";
}

class Rules {
 public:
  explicit Rules(const DiagnoseFacts& facts) : facts_(facts), now_(facts.snapshot.generated_at) {
    for (const Json& event : facts.events)
      take(event);
  }

  std::vector<Finding> apply() {
    check_tree();
    for (const NodeInfo& node : facts_.snapshot.nodes) {
      check_restarts(node);
      check_phase(node);
      check_waiting(node);
    }
    check_keepers();
    check_readers();
    for (Finding& finding : diagnose_pipelines(facts_.pipelines))
      found_.push_back(std::move(finding));
    std::stable_sort(found_.begin(), found_.end(), [](const Finding& a, const Finding& b) {
      return std::tie(a.rank, a.path) < std::tie(b.rank, b.path);
    });
    return std::move(found_);
  }

 private:
  void add(Rank rank, std::string code, const std::string& path, std::string text,
           std::string evidence, std::string look) {
    found_.push_back(
        {rank, std::move(code), path, std::move(text), std::move(evidence), std::move(look)});
  }

  // Timestamps have one format and one zone, so their texts compare as the times do.
  [[nodiscard]] std::string text_before(std::chrono::seconds span) const {
    std::string out;
    supervisor::json::append_timestamp(out, now_ - span);
    return out;
  }

  void take(const Json& event) {
    const std::string type = text_of(event, "type");
    const std::string at = text_of(event, "at");
    if (type == "child_blocked") waits_for_[text_of(event, "path")] = text_of(event, "waits_for");
    const bool is_keeper = type == "journal_error" || type == "audit_failed";
    if (is_keeper && at >= text_before(recent)) failing_keepers_[type] = event;
    if ((type == "backpressure_alert" || type == "subscriber_lagged") &&
        at >= text_before(recent)) {
      slow_readers_[text_of(event, "reader")].push_back(event);
    }
    if (type == "child_exited" && text_of(event, "severity") != "info" &&
        at >= text_before(storm_window)) {
      ++failures_;
    }
    if (type == "escalated" && at >= text_before(recent)) {
      add(Rank::warning, "escalated", text_of(event, "path"),
          "gave up and handed its failure to " + text_of(event, "to"),
          short_time(at) + ": " + text_of(event, "reason"),
          "espalier why " + text_of(event, "path"));
    }
  }

  void check_tree() {
    const ipc::Snapshot& tree = facts_.snapshot;
    if (tree.state == "failed" || tree.state == "stopped") {
      add(Rank::critical, "tree_ended", "/", "the tree has ended: " + tree.state,
          "state " + tree.state, "espalier status");
    } else if (tree.state == "stopping") {
      add(Rank::warning, "shutting_down", "/", "the tree is shutting down",
          tree.shutdown ? tree.shutdown->phase + ", " + std::to_string(tree.shutdown->remaining) +
                              " children have not ended"
                        : "state stopping",
          "espalier events -f");
    }
    if (failures_ >= storm_failures) {
      add(Rank::critical, "failure_storm", "/",
          "many children fail at once; look for a common cause",
          count_of(failures_, "failure") + " in the last " + short_span(storm_window),
          "espalier events --type child_exited");
    }
  }

  void check_restarts(const NodeInfo& node) {
    const ipc::RestartsInfo& used = node.restarts;
    const bool spent = used.limit > 0 && used.used >= used.limit;
    const bool near = used.limit > 0 && used.used * 10 >= used.limit * 7;
    const std::string counted = restarts_text(used) + " used";
    const bool is_scope = node.kind == supervisor::ChildKind::supervisor;
    if (node.path == "/" && near) {
      add(Rank::critical, "near_escalation", "/",
          spent ? "the root is at its restart limit; one more failure ends the tree"
                : "the root is near its restart limit, past which the tree ends",
          counted, "espalier list --sort restarts");
    } else if (is_scope && near) {
      add(Rank::warning, "near_limit", node.path,
          spent ? "is at its restart limit; one more failure goes up to its supervisor"
                : "is near its restart limit",
          counted, "espalier list --sort restarts");
    } else if (has_failed(node)) {
      return;  // It is down; that is told below, and its counters no longer matter.
    } else if (is_looping(node)) {
      add(spent ? Rank::critical : Rank::warning, "crash_loop", node.path,
          "fails again and again" + std::string(spent ? ", and its restart limit is used up" : ""),
          counted + (node.last_exit ? "; last: " + exit_text(*node.last_exit) : ""),
          "espalier why " + node.path);
    } else if (near) {
      add(Rank::warning, "near_limit", node.path,
          spent ? "is at its restart limit" : "is near its restart limit", counted,
          "espalier why " + node.path);
    }
  }

  static bool is_looping(const NodeInfo& node) {
    if (node.kind == supervisor::ChildKind::supervisor) return false;
    return node.restarts.used >= loop_restarts ||
           (node.lifecycle == Lifecycle::backing_off && node.attempt >= loop_restarts);
  }

  void check_phase(const NodeInfo& node) {
    const std::string last =
        node.last_decision ? *node.last_decision
                           : (node.last_exit ? exit_text(*node.last_exit) : "no exit is known");
    const std::string held = "for " + age(node.since, now_);
    if (node.phase == ChildPhase::quarantined) {
      add(Rank::warning, "quarantined", node.path,
          "is quarantined and stays down until it is resumed", held + "; " + last,
          "espalier why " + node.path);
    } else if (node.phase == ChildPhase::held) {
      add(Rank::warning, "held", node.path,
          "is down, as its group " + node.group.value_or("") + " is held until reset",
          held + "; " + last, "espalier why " + node.path);
    } else if (node.phase == ChildPhase::abandoned) {
      add(Rank::critical, "abandoned", node.path, "could not be ended and may still run",
          node.pid ? "pid " + std::to_string(*node.pid) : held, "espalier show " + node.path);
    } else if (has_failed(node) && node.path != "/") {
      add(Rank::warning, "failed", node.path, "has failed and is not restarted", held + "; " + last,
          "espalier why " + node.path);
    } else if (node.phase == ChildPhase::suspended) {
      add(Rank::note, "suspended", node.path, "is frozen by an operator", held,
          "espalier resume " + node.path);
    } else if (node.lifecycle == Lifecycle::stopping && now_ - node.since > long_stop) {
      add(Rank::warning, "slow_stop", node.path, "does not end", "stopping " + held,
          "espalier show " + node.path);
    }
  }

  void check_waiting(const NodeInfo& node) {
    const auto since = now_ - node.since;
    const std::string held = "for " + age(node.since, now_);
    const std::string reason =
        node.pending_restart ? "; " + node.pending_restart->reason : std::string();
    if (node.phase == ChildPhase::blocked || node.phase == ChildPhase::gated) {
      const auto found = waits_for_.find(node.path);
      const std::string what = found == waits_for_.end() ? "" : found->second;
      add(since > long_wait ? Rank::warning : Rank::note, "waiting", node.path,
          node.phase == ChildPhase::blocked ? "waits for a dependency that is not ready"
                                            : "waits for something it needs that is not free",
          (what.empty() ? "" : what + ", ") + held,
          what.starts_with("/") ? "espalier why " + what : "espalier show " + node.path);
    } else if (node.phase == ChildPhase::queued) {
      add(Rank::warning, "budget_owed", node.path, "waits for its restart until a budget allows it",
          held + reason, "espalier why " + node.path);
    } else if (node.phase == ChildPhase::starting && since > long_start) {
      add(Rank::warning, "slow_start", node.path, "has not become ready", "starting " + held,
          "espalier logs " + node.path);
    } else if (node.phase == ChildPhase::idle && node.health == "unready" && since > long_wait) {
      add(Rank::warning, "not_started", node.path, "should run, and has not been started", held,
          "espalier why " + node.path);
    }
  }

  // What keeps events and audit, as the last hour knows it.
  void check_keepers() {
    for (const auto& [type, event] : failing_keepers_) {
      const bool is_audit = type == "audit_failed";
      add(is_audit ? Rank::critical : Rank::warning, type, "",
          is_audit ? "the audit could not be kept; while it cannot, commands are refused"
                   : "the journal on disk could not be written; while it cannot, events are lost",
          short_time(text_of(event, "at")) + ": " + text_of(event, "error"),
          is_audit ? "df FILE, espalier audit verify FILE"
                   : "df FOLDER, espalier journal verify FOLDER");
    }
  }

  void check_slow_readers() {
    for (const auto& [reader, news] : slow_readers_) {
      std::uint64_t lost = 0;
      for (const Json& event : news)
        lost += event.value("dropped", std::uint64_t{0});
      const bool is_well = text_of(news.back(), "level") == "recovered" ||
                           text_of(news.back(), "type") == "subscriber_lagged";
      if (is_well && lost == 0) continue;
      add(lost > 0 ? Rank::warning : Rank::note, "slow_subscriber", "",
          "a reader of events is too slow: " + reader,
          short_time(text_of(news.back(), "at")) + ": " +
              (lost > 0 ? count_of(lost, "event") + " left out in the last hour"
                        : "nothing is lost yet"),
          "espalier events --type backpressure_alert");
    }
  }

  void check_readers() {
    check_slow_readers();
    std::map<std::string, std::uint64_t> refusals;
    const auto oldest = now_ - recent;
    for (const ipc::AuditRecord& record : facts_.audit) {
      if (record.decision == "refused" && record.at >= oldest)
        ++refusals[record.detail.value_or("")];
    }
    if (const auto slow = refusals.find("too_slow"); slow != refusals.end()) {
      add(Rank::warning, "slow_reader", "", "a reader of the socket was too slow and was cut off",
          count_of(slow->second, "time") + " in the last hour", "espalier audit show");
    }
    for (const auto& [code, count] : refusals) {
      if (code != "forbidden" && code != "replay_mismatch" && code != "audit_unavailable") continue;
      add(Rank::note, "refused", "", "requests were refused: " + code,
          count_of(count, "time") + " in the last hour", "espalier audit show");
    }
  }

  const DiagnoseFacts& facts_;
  ipc::Timestamp now_;
  std::map<std::string, std::string> waits_for_;
  std::map<std::string, Json> failing_keepers_;  ///< The last of its type.
  std::map<std::string, std::vector<Json>> slow_readers_;
  std::uint64_t failures_ = 0;
  std::vector<Finding> found_;
};

}  // namespace

std::vector<Finding> diagnose(const DiagnoseFacts& facts) {
  return Rules(facts).apply();
}

}  // namespace espalier::cli
