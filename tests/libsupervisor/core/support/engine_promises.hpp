#pragma once

#include "espalier/supervisor/core/engine.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace espalier::supervisor::testing_support {

/// Watches what goes into an engine and what comes out, and knows nothing else of it. Whatever
/// the inputs, these promises must hold; each breach becomes a sentence in `broken()`:
///   - a child never has two live attempts, and its generations count up without a gap;
///   - nothing starts once a shutdown began, nor while it is held, quarantined or may still live;
///   - starts keep the start order and wait for dependencies, stops go in reverse, one by one;
///   - an exit is told exactly once, an unasked one is decided exactly once;
///   - a restart that was decided happens, or is cancelled or superseded by name;
///   - event numbers have no gap, causes precede effects, Finished comes once and last, with one
///     status per child, and nothing lives past it but what it calls abort_failed.
class EnginePromises {
 public:
  /// `shares_numbers`: other engines of the tree take event numbers too.
  explicit EnginePromises(const SupervisorSpec& spec, std::string path = "/",
                          bool shares_numbers = false)
      : spec_(spec),
        path_(std::move(path)),
        shares_numbers_(shares_numbers),
        children_(spec.children.size()) {
    ordered_ = spec.groups.empty() && !spec.restart_dependents_only;
    for (const auto& child : spec.children)
      ordered_ = ordered_ && !child.strategy_override && child.gates.empty() && !child.sidecar;
    const auto order = start_order(spec).order;
    for (std::size_t place = 0; place < order.size(); ++place)
      children_[order[place]].place = place;
  }

  void see(const Input& what, const std::vector<Effect>& effects, TimePoint now) {
    now_ = now;
    was_group_stopping_ = group_stopping_;
    exits_told_.assign(children_.size(), 0);
    decisions_.assign(children_.size(), 0);
    commanded_.reset();
    asked_up_ = false;
    const Exit exit = note(what);
    if (asked_up_) children_[*commanded_].wanted_up = is_granted(effects);
    if (commanded_) accept_command(effects);
    for (const auto& e : effects)
      std::visit([this](const auto& x) { check(x); }, e);
    check_exit(exit);
  }

  /// Once every child behaves, all run but those that something named keeps down.
  void check_settled() {
    // One that may only run for a while is down now and then for ever, and its scope with it.
    for (const auto& child : spec_.children)
      if (child.policy.run_timeout > Duration::zero()) return;
    for (ChildIndex i = 0; i < children_.size(); ++i) {
      const auto& child = children_[i];
      const bool temporary = spec_.children[i].policy.restart == RestartType::temporary;
      const bool excused = child.kept_down || child.left_down || child.abandoned ||
                           (temporary && child.last > 0) || is_blocked(i);
      if (!finished_ && !child.ready && !excused) breach(name(i) + " never came up again");
    }
  }

  [[nodiscard]] const std::vector<std::string>& broken() const { return broken_; }
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] Generation live(ChildIndex child) const { return children_[child].live; }
  [[nodiscard]] Generation last(ChildIndex child) const { return children_[child].last; }
  [[nodiscard]] bool ready(ChildIndex child) const { return children_[child].ready; }
  [[nodiscard]] bool asked(ChildIndex child) const {
    return children_[child].asked || children_[child].aborted;
  }

 private:
  struct Child {
    std::size_t place = 0;  ///< In start order.
    Generation live = 0;    ///< 0: no attempt lives.
    Generation last = 0;
    bool ready = false;
    bool asked = false;
    bool aborted = false;
    bool abandoned = false;
    bool completed = false;    ///< The last attempt ended by itself and well.
    bool kept_down = false;    ///< By an operator, or quarantined.
    bool wanted_up = false;    ///< An operator has just asked for a start; not yet accepted.
    bool wanted_down = false;  ///< The same of a stop.
    bool by_operator = false;  ///< Once started out of turn.
    bool commanded = false;    ///< An operator asked for the next start.
    bool passed_over = false;  ///< In the first start, for want of a dependency.
    bool left_down = false;    ///< By a decision.
    bool armed = false;        ///< A restart was decided and has not happened yet.
    TimePoint asked_at = {};
  };
  struct Exit {
    std::optional<ChildIndex> child = {};
    bool unasked = false;
    bool abandoned = false;
  };

  void breach(const std::string& what) { broken_.push_back(what); }
  [[nodiscard]] const std::string& name(ChildIndex child) const {
    return spec_.children[child].name;
  }

  Exit note(const Input& what) {
    if (std::holds_alternative<input::Stop>(what) || std::holds_alternative<input::Abort>(what))
      shutting_down_ = true;
    if (const auto* x = std::get_if<input::ChildRunning>(&what))
      note_ready(*x, Readiness::immediate);
    if (const auto* x = std::get_if<input::ChildReady>(&what))
      note_ready(*x, Readiness::explicit_report);
    if (const auto* x = std::get_if<input::Order>(&what)) note_order(*x);
    if (const auto* x = std::get_if<input::ChildAsks>(&what)) {
      commanded_ = x->child;
      asked_up_ = x->wish == input::Wish::restart;
    }
    if (const auto* x = std::get_if<input::ProbeResult>(&what)) {
      if (x->ok && x->purpose == input::ProbePurpose::readiness) children_[x->child].ready = true;
    }
    const auto* exited = std::get_if<input::ChildExited>(&what);
    return exited ? note_exit(*exited) : Exit{};
  }

  [[nodiscard]] static bool is_granted(const std::vector<Effect>& effects) {
    return std::any_of(effects.begin(), effects.end(), [](const auto& e) {
      const auto* told = std::get_if<effect::Emit>(&e);
      const auto* asked = told ? std::get_if<events::ChildAsked>(&told->body) : nullptr;
      return asked && asked->granted;
    });
  }

  // A start comes before the reply that tells of it, so it is the refusal that is looked for.
  void accept_command(const std::vector<Effect>& effects) {
    auto& child = children_[*commanded_];
    const bool down = std::exchange(child.wanted_down, false);
    if (!std::exchange(child.wanted_up, false) && !down) return;
    for (const auto& e : effects) {
      const auto* reply = std::get_if<effect::Reply>(&e);
      if (!reply) continue;
      if (!reply->result && reply->result.error().code == Error::Code::wrong_state) return;
      // A suspended one is not held: should it end, a new attempt begins.
      if (down && reply->result && reply->result->phase == ChildPhase::suspended) return;
    }
    child.kept_down = down;
    child.commanded = !down;
  }

  void note_order(const input::Order& x) {
    if (x.command->dry_run) return;
    for (ChildIndex i = 0; i < children_.size(); ++i)
      if (name(i) == x.child) commanded_ = i;
    if (!commanded_) return;
    auto& child = children_[*commanded_];
    switch (x.command->kind) {
      case CommandKind::stop_child:
      case CommandKind::pause_child:
      case CommandKind::quarantine_child:
        child.wanted_down = true;
        break;
      case CommandKind::start_child:
      case CommandKind::resume_child:
      case CommandKind::restart_child:
        child.wanted_up = true;
        break;
      default:
        break;
    }
  }

  template <class Report>
  void note_ready(const Report& x, Readiness by) {
    auto& child = children_[x.child];
    if (child.live == x.generation && child.live != 0 && !child.asked && !child.aborted &&
        spec_.children[x.child].policy.readiness == by)
      child.ready = true;
  }

  Exit note_exit(const input::ChildExited& x) {
    auto& child = children_[x.child];
    if (child.live == 0 || child.live != x.generation) return {};
    shutting_down_ = shutting_down_ || x.ends_tree;
    const bool unasked = !child.asked && !child.aborted && !x.ends_tree;
    const Exit exit{x.child, unasked, child.abandoned};
    child.completed = unasked && x.exit.kind == ExitKind::completed;
    child.live = 0;
    child.ready = child.asked = child.aborted = child.abandoned = false;
    return exit;
  }

  void check(const effect::StartChild& x) {
    auto& child = children_[x.child];
    const auto what = "start of " + name(x.child) + "#" + std::to_string(x.generation);
    if (finished_) breach(what + " after Finished");
    if (shutting_down_) breach(what + " during a shutdown");
    if (child.live != 0) breach(what + " while #" + std::to_string(child.live) + " lives");
    if (x.generation != child.last + 1) breach(what + " does not follow the last generation");
    if (child.kept_down && !child.commanded) breach(what + " although it is held or quarantined");
    check_dependencies(x.child, what);
    if (!child.commanded && ordered_) check_start_order(child, what);
    child.by_operator = child.by_operator || child.commanded;
    child.live = child.last = x.generation;
    child.kept_down = child.commanded = child.armed = child.completed = child.left_down = false;
    group_stopping_ = false;
  }

  void check_dependencies(ChildIndex index, const std::string& what) {
    if (is_blocked(index)) breach(what + " before what it depends on is ready");
  }

  [[nodiscard]] bool is_blocked(ChildIndex index) const {
    for (const auto& wanted : spec_.children[index].dependencies)
      for (ChildIndex i = 0; i < children_.size(); ++i)
        if (name(i) == wanted && !children_[i].ready && !children_[i].completed) return true;
    return false;
  }

  // A dependency that failed at first keeps its dependants back; the others do not wait for them.
  bool passed_over(ChildIndex i) {
    auto& child = children_[i];
    child.passed_over = child.passed_over || (child.last == 0 && is_blocked(i));
    return child.passed_over;
  }

  void check_start_order(const Child& child, const std::string& what) {
    for (ChildIndex i = 0; i < children_.size(); ++i) {
      const auto& other = children_[i];
      const bool restarted =
          other.last > 1 || other.commanded || other.kept_down || other.by_operator;
      if (&other == &child || other.abandoned) continue;
      if (child.last == 0 && other.place < child.place && !restarted && !passed_over(i) &&
          (other.last == 0 || (other.live != 0 && !other.ready)) && !other.asked && !other.aborted)
        breach(what + " before " + name(i) + ", which comes first, was up");
      if (spec_.strategy == Strategy::one_for_all && other.place > child.place && other.live != 0 &&
          child.last > 0 && !operator_acted_)
        breach(what + " while " + name(i) + ", which comes after it, still lives");
    }
  }

  void check(const effect::StopChild& x) {
    auto& child = children_[x.child];
    const auto what = "stop of " + name(x.child) + "#" + std::to_string(x.generation);
    if (finished_) breach(what + " after Finished");
    if (child.live == 0 || child.live != x.generation) breach(what + ", which does not live");
    if (child.asked && spec_.children[x.child].kind != ChildKind::supervisor)
      breach(what + " a second time");
    if (commanded_ != x.child && !child.asked && ordered_) check_stop_order(child, what);
    child.asked = true;
    child.ready = false;
    child.asked_at = now_;
  }

  void check_stop_order(const Child& child, const std::string& what) {
    if (spec_.shutdown.order == ShutdownOrder::parallel && shutting_down_) return;
    for (ChildIndex i = 0; i < children_.size(); ++i) {
      const auto& other = children_[i];
      if (other.live == 0 || &other == &child || other.aborted || other.abandoned) continue;
      const bool spared = quarantining_ && !shutting_down_ && other.by_operator;
      if (other.place > child.place && !other.asked && !spared)
        breach(what + " before " + name(i) + ", which was started after it");
      const auto& stop = spec_.children[i].policy.stop;
      const bool patient =
          stop.kind == StopPolicy::Kind::infinity || now_ - other.asked_at < stop.grace;
      if (other.asked && patient && !operator_acted_)
        breach(what + " while " + name(i) + " is still within its grace");
    }
  }

  void check(const effect::AbortChild& x) {
    auto& child = children_[x.child];
    const auto what = "abort of " + name(x.child) + "#" + std::to_string(x.generation);
    if (finished_) breach(what + " after Finished");
    if (child.live == 0 || child.live != x.generation) breach(what + ", which does not live");
    if (child.abandoned) breach(what + ", which was abandoned");
    child.aborted = true;
    child.ready = false;
  }

  void check(const effect::AbandonChild& x) {
    auto& child = children_[x.child];
    if (child.live == 0 || child.live != x.generation)
      breach("abandoned " + name(x.child) + ", which does not live");
    if (!child.aborted) breach("abandoned " + name(x.child) + " without an abort");
    child.abandoned = true;
  }

  void check(const effect::SuspendChild& x) { children_[x.child].kept_down = false; }
  void check(const effect::RunProbe&) {}
  void check(const effect::CancelProbe&) {}
  void check(const effect::RequestAdmission&) {}
  void check(const effect::EndAdmission&) {}
  void check(const effect::ChildCreated&) {}
  void check(const effect::EndTree&) {}

  void check(const effect::Reply&) {}

  void check(const effect::Emit& x) {
    if (x.sequence <= sequence_ || (x.sequence != sequence_ + 1 && !shares_numbers_))
      breach("event number " + std::to_string(x.sequence) + " after " + std::to_string(sequence_));
    sequence_ = x.sequence;
    if (x.cause.caused_by >= x.sequence) breach("an event that is its own cause");
    if (x.child) check_child_event(*x.child, x);
    const auto* escalated = std::get_if<events::Escalated>(&x.body);
    if ((escalated && !escalated->to.starts_with("group ")) ||
        std::holds_alternative<events::AutoShutdownTriggered>(x.body) ||
        std::holds_alternative<events::TreeStartFailed>(x.body))
      shutting_down_ = true;
    if (std::holds_alternative<events::RestartCancelled>(x.body) && !x.child) cancel_group();
    if (const auto* scope = std::get_if<events::ScopeRestartStarted>(&x.body)) {
      group_stopping_ = true;
      quarantining_ = false;
      group_first_ = children_.size() - std::min<std::uint64_t>(children_.size(), scope->size);
    }
  }

  void check_child_event(ChildIndex index, const effect::Emit& x) {
    auto& child = children_[index];
    if (std::holds_alternative<events::ChildExited>(x.body)) ++exits_told_[index];
    if (std::holds_alternative<events::ChildQuarantined>(x.body) ||
        std::holds_alternative<events::ChildPaused>(x.body))
      child.kept_down = true;
    if (std::holds_alternative<events::ChildBlocked>(x.body)) child.passed_over = true;
    if (std::holds_alternative<events::RestartCancelled>(x.body)) child.armed = false;
    if (const auto* decided = std::get_if<events::RestartDecided>(&x.body)) {
      ++decisions_[index];
      if (decided->decision->verdict == Verdict::quarantine &&
          decided->decision->deciding_rule == Rule::supervisor_limit) {
        group_stopping_ = true;  // What ends now is part of the quarantine of a scope.
        quarantining_ = true;
        group_first_ = 0;
      }
      note_decision(child, *decided->decision);
    }
  }

  // The restart of a group is cancelled as a whole.
  void cancel_group() {
    group_stopping_ = false;
    for (auto& child : children_)
      child.armed = false;
  }

  void note_decision(Child& child, const RestartDecision& decision) {
    child.left_down = decision.verdict != Verdict::restart_now &&
                      decision.verdict != Verdict::restart_after &&
                      decision.verdict != Verdict::restart_queued;
    if (child.left_down) return;
    for (auto& other : children_)  // A wider restart takes the place of the one it contains.
      if (spec_.strategy == Strategy::one_for_all ||
          (spec_.strategy == Strategy::rest_for_one && other.place > child.place))
        other.armed = false;
    child.armed = true;
  }

  void check(const effect::TreeUp&) {
    if (std::exchange(up_, true)) breach("TreeUp twice");
  }

  void check(const effect::Finished& x) {
    if (std::exchange(finished_, true)) breach("Finished twice");
    std::map<std::string, const ChildShutdownStatus*> statuses;
    for (const auto& status : x.children)
      if (!statuses.emplace(status.path, &status).second) breach("two statuses of " + status.path);
    for (ChildIndex i = 0; i < children_.size(); ++i) {
      const auto found = statuses.find(join_path(path_, name(i)));
      if (found == statuses.end())
        breach("no status of " + name(i) + " in Finished");
      else if ((children_[i].live != 0) !=
               (found->second->outcome == ChildShutdownOutcome::abort_failed))
        breach(name(i) + (children_[i].live != 0 ? " lives" : " is gone") + " but is reported " +
               to_string(found->second->outcome));
      if (children_[i].armed) breach("the restart of " + name(i) + " was forgotten");
    }
  }

  void check_exit(const Exit& exit) {
    if (!ordered_) return;
    for (ChildIndex i = 0; i < children_.size(); ++i) {
      const bool exited = exit.child == i;
      if (exits_told_[i] != (exited ? 1 : 0) && !(exited && finished_ && exit.abandoned))
        breach("exit of " + name(i) + " told " + std::to_string(exits_told_[i]) + " times");
      if (decisions_[i] > (exited ? 1 : 0)) breach("a decision too many about " + name(i));
      const bool spared = was_group_stopping_ && children_[i].place >= group_first_;
      if (exited && exit.unasked && !shutting_down_ && !spared && decisions_[i] != 1)
        breach("the unasked exit of " + name(i) + " was not decided");
    }
    operator_acted_ = operator_acted_ || commanded_.has_value();
  }

  SupervisorSpec spec_;
  std::string path_;
  bool shares_numbers_ = false;
  std::vector<Child> children_;
  std::vector<std::string> broken_;
  std::vector<int> exits_told_, decisions_;
  std::optional<ChildIndex> commanded_;  ///< The child that the command at hand is about.
  bool asked_up_ = false;                ///< By the child itself.
  TimePoint now_ = {};
  std::uint64_t sequence_ = 0;
  std::size_t group_first_ = 0;  ///< Place of the first member of the group under restart.
  bool group_stopping_ = false;  ///< What ends now is part of that restart, no failure.
  bool was_group_stopping_ = false;
  bool quarantining_ = false;  ///< A scope was, last of all; who is brought up then stays up.
  bool operator_acted_ = false;
  bool shutting_down_ = false;
  bool finished_ = false;
  bool up_ = false;
  bool ordered_ = true;  ///< One strategy for all, and no attempt that fails before it begins.
};

}  // namespace espalier::supervisor::testing_support
