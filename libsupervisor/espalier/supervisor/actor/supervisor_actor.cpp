#include "espalier/supervisor/actor/supervisor_actor.hpp"

#include "espalier/supervisor/actor/actor_child.hpp"

#include <caf/actor_system.hpp>

#include <functional>
#include <stdexcept>
#include <utility>

namespace espalier::supervisor {

namespace {

std::uint64_t seed_for(const TreeServices& services, const std::string& path) {
  return services.seed ^ std::hash<std::string>{}(path);
}

}  // namespace

SupervisorState::~SupervisorState() {
  if (!with_.uplink) return;  // Never begun.
  for (auto life = lives_.rbegin(); life != lives_.rend(); ++life) {
    if (life->child) life->child->supervisor_lost();
  }
  with_.line->close();
  if (!finished_) with_.uplink->finished(unexpected_end());
  with_.services->census->actor_ended();
}

caf::behavior SupervisorState::make_behavior(SupervisorStart start) {
  with_ = std::move(start);
  with_.services->census->actor_began();
  self_->set_default_handler(caf::drop);
  self_->set_exception_handler([this](std::exception_ptr& thrown) {
    fault_ = exit_record_of(thrown).message;
    return reason_of(thrown);
  });
  with_.line->open(caf::actor_cast<caf::actor>(self_));
  engine_ = std::make_shared<SupervisorEngine>(
      *with_.spec,
      EngineContext{with_.path, with_.services->sequence, seed_for(*with_.services, with_.path)});
  with_.spec.reset();  // The engine has its own.
  lives_.resize(engine_->spec().children.size());
  self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
  self_->set_exit_handler([this](caf::exit_msg& why) {
    feed(input::Stop{"exit message: " + self_->system().render(why.reason)});
  });
  feed(input::Start{with_.cause});
  return {
      [this](Feed& report) { feed(std::move(report.input)); },
      [this](caf::ok_atom) {
        turn_pending_ = false;
        work();
      },
      [this](caf::tick_atom, std::uint64_t timer) {
        if (timer != timer_) return;
        armed_for_.reset();
        feed(input::TimePassed{});
      },
  };
}

void SupervisorState::feed(Input what) {
  if (const auto* exited = std::get_if<input::ChildExited>(&what)) {
    forget(exited->child, exited->generation);
  }
  inbox_.push_back(std::move(what));
  work();
}

void SupervisorState::work() {
  if (std::exchange(working_, true)) return;
  int starts = 0;
  while (!finished_) {
    if (effects_.empty()) {
      if (inbox_.empty()) break;
      now_ = self_->clock().now();
      const auto next = std::move(inbox_.front());
      inbox_.pop_front();
      for (auto& wanted : engine_->handle(next, now_))
        effects_.push_back(std::move(wanted));
      continue;
    }
    if (std::holds_alternative<effect::StartChild>(effects_.front()) &&
        ++starts > starts_per_turn) {
      if (!std::exchange(turn_pending_, true)) self_->send(self_, caf::ok_atom_v);
      break;
    }
    auto next = std::move(effects_.front());
    effects_.pop_front();
    std::visit([this](auto& x) { carry_out(x); }, next);
  }
  working_ = false;
  if (!finished_) arm_timer();
}

void SupervisorState::on_down(const caf::down_msg& down) {
  const auto found = watched_.find(down.source.id());
  if (found == watched_.end()) return;
  const auto [child, generation] = found->second;
  watched_.erase(found);
  feed(input::ChildExited{child, generation, exit_record_of(down.reason, self_->system())});
}

// An armed timer that is too early only makes the engine look once more, so one is set only for
// what is earlier: pending ones cannot be cancelled and must not pile up.
void SupervisorState::arm_timer() {
  const auto next = engine_->next_deadline();
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;
  armed_for_ = next;
  self_->scheduled_send(self_, *next, caf::tick_atom_v, ++timer_);
}

std::unique_ptr<Child> SupervisorState::start_child(const effect::StartChild& x) {
  const auto& spec = engine_->spec().children[x.child];
  ChildStart start{.supervisor = self_,
                   .services = with_.services,
                   .spec = {engine_, &spec},
                   .id = {path_of(x.child), x.child, x.generation, x.attempt, with_.line},
                   .cause = x.cause};
  switch (spec.kind) {
    case ChildKind::actor:
      return start_actor_child(std::move(start));
    case ChildKind::blocking:
      return start_blocking_child(std::move(start));
    case ChildKind::process:
      return start_process_child(std::move(start));
    case ChildKind::supervisor:
      return start_subtree_child(std::move(start));
  }
  throw std::logic_error("unknown kind of child");
}

void SupervisorState::carry_out(const effect::StartChild& x) {
  try {
    auto child = start_child(x);
    if (const auto id = child->watched()) watched_[id] = {x.child, x.generation};
    lives_[x.child] = {x.generation, std::move(child)};
    // A process says so itself, with its pid, and a subtree once it is up.
    const auto kind = engine_->spec().children[x.child].kind;
    if (kind == ChildKind::actor || kind == ChildKind::blocking) {
      inbox_.push_back(input::ChildRunning{x.child, x.generation});
    }
  } catch (...) {
    auto exit = exit_record_of(std::current_exception());
    exit.kind = ExitKind::failed;
    exit.category = FailureCategory::recoverable;
    inbox_.push_back(input::ChildExited{x.child, x.generation, std::move(exit)});
  }
}

void SupervisorState::carry_out(const effect::StopChild& x) {
  if (auto* child = live(x.child, x.generation)) child->stop(x);
}

void SupervisorState::carry_out(const effect::AbortChild& x) {
  if (auto* child = live(x.child, x.generation)) child->abort(x);
}

// Its DOWN or report may still come, under its old generation.
void SupervisorState::carry_out(const effect::AbandonChild& x) {
  if (auto* child = live(x.child, x.generation)) child->abandon();
  forget(x.child, x.generation);
}

void SupervisorState::carry_out(effect::Emit& x) {
  if (with_.services->sinks.empty()) return;
  with_.services->publish({.sequence = x.sequence,
                           .epoch = with_.services->epoch,
                           .at = std::chrono::system_clock::now(),
                           .monotonic = now_,
                           .path = x.child ? path_of(*x.child) : with_.path,
                           .generation = x.generation,
                           .attempt = x.attempt,
                           .cause = x.cause,
                           .body = std::move(x.body)});
}

void SupervisorState::carry_out(const effect::TreeUp&) {
  with_.uplink->up();
}

void SupervisorState::carry_out(const effect::Finished& x) {
  finished_ = true;
  with_.uplink->finished(x);
  self_->quit();
}

Child* SupervisorState::live(ChildIndex child, Generation generation) {
  auto& life = lives_[child];
  return life.generation == generation ? life.child.get() : nullptr;
}

void SupervisorState::forget(ChildIndex child, Generation generation) {
  if (live(child, generation)) lives_[child].child.reset();
}

std::string SupervisorState::path_of(ChildIndex child) const {
  return join_path(with_.path, engine_->spec().children[child].name);
}

effect::Finished SupervisorState::unexpected_end() const {
  effect::Finished result{.result = effect::Result::failed};
  result.exit = fault_.empty() ? ExitRecord{.kind = ExitKind::aborted, .message = "killed"}
                               : ExitRecord{.kind = ExitKind::panicked,
                                            .category = FailureCategory::panic,
                                            .message = fault_};
  for (ChildIndex i = 0; i < lives_.size(); ++i) {
    const auto outcome =
        lives_[i].child ? ChildShutdownOutcome::aborted : ChildShutdownOutcome::already_exited;
    result.children.push_back(
        {.path = path_of(i), .outcome = outcome, .generation = lives_[i].generation});
  }
  return result;
}

caf::behavior supervisor_actor(caf::stateful_actor<SupervisorState>* self, SupervisorStart start) {
  return self->state.make_behavior(std::move(start));
}

}  // namespace espalier::supervisor
