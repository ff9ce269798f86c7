#pragma once

#include "espalier/supervisor/core/pool_engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor::testing_support {

using namespace std::chrono_literals;

/// Drives a PoolEngine in virtual time, plays the children, and watches what no pool may ever do.
/// Each breach becomes a sentence in `broken`:
///   - an instance never has two live attempts, and the generations of a slot only grow;
///   - a slot is created anew only after its instance was removed, and no name comes twice;
///   - stops and aborts are for what lives; event numbers have no gap;
///   - each order has exactly one answer;
///   - Finished comes once, with one status per instance, and nothing lives past it but what it
///     calls abort_failed.
class PoolDriver {
 public:
  struct Child {
    Generation live = 0;  ///< 0: nothing lives.
    Generation last = 0;
    bool exists = false;
    bool stopping = false;
    bool aborting = false;
    bool abandoned = false;
    std::string name = {};
  };

  explicit PoolDriver(const PoolSpec& spec, bool admission = false)
      : engine_(spec, {"/pool", {}, 7, admission}) {}

  std::vector<Effect> feed(const Input& what) {
    if (const auto* order = std::get_if<input::Order>(&what)) open_.insert(order->ticket);
    auto effects = engine_.handle(what, now_);
    for (const auto& e : effects)
      std::visit([this](const auto& x) { see(x); }, e);
    return effects;
  }

  void start() { feed(input::Start{}); }
  /// Goes on in time, from deadline to deadline.
  void advance(Duration by) {
    const auto until = now_ + by;
    while (!finished_) {
      const auto next = engine_.next_deadline();
      if (!next || *next > until) break;
      now_ = std::max(now_, *next);
      feed(input::TimePassed{});
    }
    now_ = until;
  }

  void run(ChildIndex i) { feed(input::ChildRunning{i, children_[i].live, {}}); }
  void ready(ChildIndex i) { feed(input::ChildReady{i, children_[i].live}); }
  void exit(ChildIndex i, ExitRecord how = {}) { exit_as(i, children_[i].live, std::move(how)); }
  void exit_as(ChildIndex i, Generation generation, ExitRecord how = {},
               std::vector<ChildShutdownStatus> subtree = {}) {
    auto& child = children_[i];
    if (generation != 0 && child.live == generation) child.live = 0;
    feed(input::ChildExited{i, generation, std::move(how), {}, std::move(subtree)});
  }
  /// An instance that is a supervisor ends, and could not end its child x.
  void exit_with_orphan(ChildIndex i, ExitRecord how = {}) {
    exit_as(i, children_[i].live, std::move(how),
            {{.path = "/pool/" + std::to_string(i + 1) + "/x",
              .outcome = ChildShutdownOutcome::abort_failed}});
  }
  void crash(ChildIndex i) { exit(i, failure()); }
  static ExitRecord failure(FailureCategory category = FailureCategory::recoverable) {
    ExitRecord how;
    how.kind = ExitKind::failed;
    how.category = category;
    how.code = 1;
    return how;
  }
  /// All that was begun runs, and all that was asked to stop has stopped.
  void settle() {
    for (bool more = true; more && !finished_;) {
      more = false;
      const auto begun = std::exchange(begun_, {});
      for (const auto i : begun) {
        if (!children_[i].live || children_[i].stopping || children_[i].aborting) continue;
        more = true;
        run(i);
      }
      const auto asked = std::exchange(asked_, {});
      for (const auto i : asked) {
        if (!children_[i].live || !(children_[i].stopping || children_[i].aborting)) continue;
        more = true;
        exit(i);
      }
    }
  }

  /// An order by somebody with a reason; its ticket.
  std::uint64_t order(CommandKind kind, const std::string& child = {}, Command with = {}) {
    with.kind = kind;
    with.meta = {"ops", "test"};
    const auto ticket = ++last_ticket_;
    feed(input::Order{ticket, child, std::make_shared<const Command>(std::move(with))});
    return ticket;
  }
  std::uint64_t scale(std::uint32_t size, bool dry_run = false) {
    Command with;
    with.size = size;
    with.dry_run = dry_run;
    return order(CommandKind::scale_pool, {}, with);
  }
  std::uint64_t add() { return order(CommandKind::add_child); }
  std::uint64_t remove(const std::string& name) { return order(CommandKind::remove_child, name); }

  [[nodiscard]] bool answered(std::uint64_t ticket) const { return answers_.count(ticket) != 0; }
  [[nodiscard]] const CommandResult& answer(std::uint64_t ticket) const {
    return answers_.at(ticket);
  }
  [[nodiscard]] Error::Code error(std::uint64_t ticket) const {
    return answers_.at(ticket).error().code;
  }
  [[nodiscard]] ChildIndex slot_of(const std::string& name) const {
    for (const auto& [i, child] : children_) {
      if (child.exists && child.name == name) return i;
    }
    return 999'999'999;
  }
  [[nodiscard]] ChildView view(const std::string& name) { return view(slot_of(name)); }
  [[nodiscard]] ChildView view(ChildIndex i) { return engine_.view(i, now_); }
  [[nodiscard]] bool exists(const std::string& name) const { return slot_of(name) < 999'999'999; }
  [[nodiscard]] std::size_t live() const {
    return static_cast<std::size_t>(std::count_if(
        children_.begin(), children_.end(), [](const auto& c) { return c.second.live != 0; }));
  }
  template <class Body>
  [[nodiscard]] std::vector<Body> bodies() const {
    std::vector<Body> found;
    for (const auto& e : events_) {
      if (const auto* body = std::get_if<Body>(&e.body)) found.push_back(*body);
    }
    return found;
  }
  [[nodiscard]] bool open_orders() const { return !open_.empty(); }

  PoolEngine& engine() { return engine_; }
  std::map<ChildIndex, Child>& children() { return children_; }
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] const std::vector<std::string>& broken() const { return broken_; }
  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] const std::optional<effect::Finished>& finished() const { return finished_; }
  [[nodiscard]] std::vector<effect::RunProbe>& probes() { return probes_; }
  [[nodiscard]] std::vector<effect::RequestAdmission>& requests() { return requests_; }
  [[nodiscard]] std::size_t cancelled_probes() const { return cancelled_probes_; }
  [[nodiscard]] std::size_t ended_admissions() const { return ended_admissions_; }
  [[nodiscard]] bool tree_end_wanted() const { return end_tree_; }

 private:
  void breach(const std::string& what) { broken_.push_back(what); }

  void see(const effect::ChildCreated& x) {
    auto& child = children_[x.child];
    if (child.exists) breach("a slot in use was created anew");
    if (child.live) breach("a slot was created anew while its old attempt lives");
    child.exists = true;
    child.name = engine_.child_name(x.child);
    if (!names_.insert(child.name).second) breach("the name " + child.name + " came twice");
  }
  void see(const effect::StartChild& x) {
    auto& child = children_[x.child];
    if (!child.exists) breach("something started that does not exist");
    if (child.live) breach(child.name + " has two live attempts");
    if (x.generation <= child.last) breach(child.name + ": generations do not grow");
    if (closing_) breach(child.name + " started while the pool stops");
    child.live = child.last = x.generation;
    child.stopping = child.aborting = child.abandoned = false;
    begun_.push_back(x.child);
  }
  void see(const effect::StopChild& x) {
    auto& child = children_[x.child];
    if (child.live != x.generation) breach("a stop for what does not live");
    child.stopping = true;
    asked_.push_back(x.child);
  }
  void see(const effect::AbortChild& x) {
    auto& child = children_[x.child];
    if (child.live != x.generation) breach("an abort for what does not live");
    child.aborting = true;
    asked_.push_back(x.child);
  }
  void see(const effect::AbandonChild& x) {
    auto& child = children_[x.child];
    if (child.live != x.generation) breach("abandoned what does not live");
    child.abandoned = true;
  }
  void see(const effect::Reply& x) {
    if (open_.erase(x.ticket) == 0) breach("an answer that nobody waits for");
    answers_.emplace(x.ticket, x.result);
  }
  void see(const effect::Emit& x) {
    if (x.sequence != ++sequence_) breach("event numbers have a gap");
    if (x.cause.caused_by > x.sequence) breach("a cause comes after its effect");
    if (x.child && std::holds_alternative<events::ChildRemoved>(x.body)) {
      children_[*x.child].exists = false;
      if (children_[*x.child].live) breach("removed while it lives");
    }
    if (std::holds_alternative<events::ShutdownRequested>(x.body)) closing_ = true;
    events_.push_back(x);
  }
  void see(const effect::RunProbe& x) { probes_.push_back(x); }
  void see(const effect::CancelProbe&) { ++cancelled_probes_; }
  void see(const effect::RequestAdmission& x) { requests_.push_back(x); }
  void see(const effect::EndAdmission&) { ++ended_admissions_; }
  void see(const effect::SuspendChild&) { breach("suspended an instance"); }
  void see(const effect::EndTree&) { end_tree_ = true; }
  void see(const effect::TreeUp&) {
    if (std::exchange(up_, true)) breach("up twice");
  }
  void see(const effect::Finished& x) {
    if (finished_) breach("finished twice");
    finished_ = x;
    if (!open_.empty()) breach("finished with an order unanswered");
    std::map<std::string, ChildShutdownOutcome> told;
    for (const auto& status : x.children) {
      if (!told.emplace(status.path, status.outcome).second) breach(status.path + " told twice");
    }
    std::size_t existing = 0;
    for (const auto& [i, child] : children_) {
      if (!child.exists) continue;
      ++existing;
      const auto found = told.find("/pool/" + child.name);
      if (found == told.end()) {
        breach(child.name + " has no status");
      } else if (child.live && found->second != ChildShutdownOutcome::abort_failed) {
        breach(child.name + " lives on, untold");
      }
    }
    if (existing != x.children.size()) breach("a status for what does not exist");
  }

  PoolEngine engine_;
  TimePoint now_ = TimePoint{} + 1h;
  std::map<ChildIndex, Child> children_;
  std::vector<ChildIndex> begun_;
  std::vector<ChildIndex> asked_;
  std::set<std::string> names_;
  std::set<std::uint64_t> open_;
  std::map<std::uint64_t, CommandResult> answers_;
  std::vector<effect::Emit> events_;
  std::vector<effect::RunProbe> probes_;
  std::vector<effect::RequestAdmission> requests_;
  std::vector<std::string> broken_;
  std::optional<effect::Finished> finished_;
  std::uint64_t sequence_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::size_t cancelled_probes_ = 0;
  std::size_t ended_admissions_ = 0;
  bool closing_ = false;
  bool up_ = false;
  bool end_tree_ = false;
};

/// A pool whose restarts come at once and are not limited, until a test says otherwise.
inline PoolSpec plain_pool(std::uint32_t size, RestartType restart = RestartType::permanent) {
  PoolSpec spec;
  spec.size = size;
  spec.restart_limit.reset();
  spec.child.factory = "work";
  spec.child.policy.restart = restart;
  spec.child.policy.restart_limit.reset();
  spec.child.policy.backoff = {0s, 0s, Jitter::none, 30s};
  spec.child.policy.stop.grace = 5s;
  return spec;
}

}  // namespace espalier::supervisor::testing_support
