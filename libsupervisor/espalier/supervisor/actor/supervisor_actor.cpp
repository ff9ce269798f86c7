#include "espalier/supervisor/actor/supervisor_actor.hpp"

#include "espalier/supervisor/actor/actor_child.hpp"
#include "espalier/supervisor/actor/make_engine.hpp"
#include "espalier/supervisor/actor/supervisor_thread.hpp"
#include "espalier/supervisor/scheduler/scheduler.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <utility>

namespace espalier::supervisor {

namespace {

std::uint64_t seed_for(const TreeServices& services, const std::string& path) {
  return services.seed ^ std::hash<std::string>{}(path);
}

caf::execution_unit* lane_of(caf::actor_system& system) {
  auto* scheduler = Scheduler::of(system);
  return scheduler ? &scheduler->lane() : nullptr;
}

}  // namespace

SupervisorState::~SupervisorState() {
  if (!with_.uplink) return;  // Never begun.
  for (auto life = lives_.rbegin(); life != lives_.rend(); ++life) {
    if (life->child) life->child->supervisor_lost();
  }
  for (const auto& [about, token] : probes_)
    with_.services->probes().cancel(token);
  with_.line->close();
  const SupervisorThreadMark mark;
  if (with_.services->admission) with_.services->admission->drop(with_.line, now_);
  if (face_) face_->retire(end_for_others());
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
  engine_ = make_engine(with_, EngineContext{.path = with_.path,
                                             .sequence = with_.services->sequence,
                                             .seed = seed_for(*with_.services, with_.path),
                                             .admission = with_.services->admission != nullptr});
  face_ = std::make_unique<PublicFace>(with_.services->directory, with_.path, with_.line, *engine_,
                                       info());
  with_.spec.reset();  // The engine has its own.
  with_.pool.reset();
  lives_.resize(engine_->size());
  self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
  self_->set_exit_handler([this](caf::exit_msg& why) {
    feed(input::Stop{"exit message: " + self_->system().render(why.reason)});
  });
  feed(input::Start{with_.cause});
  return {
      [this](Feed& report) { feed(std::move(report.input)); },
      [](const Ping& ping) { ping.answer->set_value(); },
      [this](caf::ok_atom) {
        turn_pending_ = false;
        work();
      },
      [this](caf::tick_atom, std::uint64_t timer) {
        if (timer != timer_) return;
        armed_for_.reset();
        if (with_.services->admission) with_.services->admission->poll(self_->clock().now());
        feed(input::TimePassed{});
      },
  };
}

void SupervisorState::feed(Input what) {
  if (const auto* exited = std::get_if<input::ChildExited>(&what)) {
    forget(exited->child, exited->generation);
  } else if (const auto* order = std::get_if<input::Order>(&what)) {
    const auto& command = *order->command;
    if (meta_problem(command.kind, command.meta)) return refuse_blank(*order);
    if (command.kind == CommandKind::shutdown_tree && !command.dry_run && with_.path == "/") {
      with_.services->stopping = true;
    }
  } else if (with_.path == "/" && (std::holds_alternative<input::Stop>(what) ||
                                   std::holds_alternative<input::Abort>(what))) {
    with_.services->stopping = true;
  }
  inbox_.push_back(std::move(what));
  work();
}

void SupervisorState::work() {
  if (std::exchange(working_, true)) return;
  const SupervisorThreadMark mark;
  int starts = 0;
  while (!finished_) {
    if (effects_.empty()) {
      if (inbox_.empty()) break;
      const auto next = std::move(inbox_.front());
      inbox_.pop_front();
      decide(next);
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

void SupervisorState::decide(const Input& what) {
  now_ = self_->clock().now();
  auto effects = engine_->handle(what, now_);
  face_->show(*engine_, effects, now_);
  for (auto& wanted : effects)
    effects_.push_back(std::move(wanted));
}

void SupervisorState::refuse_blank(const input::Order& order) {
  const SupervisorThreadMark mark;
  const auto problem = meta_problem(order.command->kind, order.command->meta);
  face_->desk().answer(order.ticket, unexpected<Error>(*problem));
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
  auto next = engine_->next_deadline();
  if (const auto& admission = with_.services->admission) {
    const auto due = admission->next_deadline();
    if (due && (!next || *due < *next)) next = due;
  }
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;
  armed_for_ = next;
  self_->scheduled_send(self_, *next, caf::tick_atom_v, ++timer_);
}

std::unique_ptr<Child> SupervisorState::start_child(const effect::StartChild& x) {
  const auto spec = engine_->child_spec(x.child);
  ChildStart start{.supervisor = self_,
                   .services = with_.services,
                   .spec = spec,
                   .id = {path_of(x.child), x.child, x.generation, x.attempt, with_.line},
                   .cause = x.cause};
  switch (spec->kind) {
    case ChildKind::actor:
      return start_actor_child(std::move(start));
    case ChildKind::async:
      return start_async_child(std::move(start));
    case ChildKind::blocking:
      return spec->isolation == Isolation::process ? start_isolated_child(std::move(start))
                                                   : start_blocking_child(std::move(start));
    case ChildKind::process:
      return start_process_child(std::move(start));
    case ChildKind::pipeline:
      return start_pipeline_child(std::move(start));
    case ChildKind::pool:
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
    const auto spec = engine_->child_spec(x.child);
    const auto kind = spec->kind;
    const bool on_thread = kind == ChildKind::blocking && spec->isolation == Isolation::none;
    if (kind == ChildKind::actor || kind == ChildKind::async || kind == ChildKind::pipeline ||
        on_thread) {
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

void SupervisorState::carry_out(const effect::SuspendChild& x) {
  if (auto* child = live(x.child, x.generation)) child->suspend(x.suspended);
}

void SupervisorState::carry_out(const effect::RunProbe& x) {
  carry_out(effect::CancelProbe{x.child, x.purpose});
  ProbeRequest request{.path = path_of(x.child), .spec = x.probe, .gates = x.gates};
  request.done = [line = with_.line, child = x.child, purpose = x.purpose, number = x.number,
                  sink = with_.services->probe_sink, path = request.path,
                  asked = std::chrono::steady_clock::now()](bool ok, const std::string& message) {
    if (sink && purpose != input::ProbePurpose::gate) {
      sink->probed({path, purpose == input::ProbePurpose::health, ok,
                    std::chrono::steady_clock::now() - asked});
    }
    line->send(input::ProbeResult{child, purpose, number, ok, message});
  };
  probes_[{x.child, x.purpose}] = with_.services->probes().start(std::move(request));
}

void SupervisorState::carry_out(const effect::CancelProbe& x) {
  const auto found = probes_.find({x.child, x.purpose});
  if (found == probes_.end()) return;
  with_.services->probes().cancel(found->second);
  probes_.erase(found);
}

void SupervisorState::carry_out(const effect::RequestAdmission& x) {
  if (!with_.services->admission) return;
  with_.services->admission->request(with_.line, path_of(x.child), x, now_);
}

void SupervisorState::carry_out(const effect::EndAdmission& x) {
  if (with_.services->admission) with_.services->admission->end(with_.line, x, now_);
}

void SupervisorState::carry_out(const effect::Reply& x) {
  face_->desk().answer(x.ticket, x.result);
}

void SupervisorState::carry_out(const effect::ChildCreated& x) {
  if (x.child >= lives_.size()) lives_.resize(x.child + std::size_t{1});
  lives_[x.child] = {};
  face_->created(x.child);
}

void SupervisorState::carry_out(const effect::EndTree& x) {
  const auto root = with_.services->directory->find("/");
  if (root) root->line->send(input::Stop{x.reason, {}, x.cause}, caf::message_priority::high);
}

void SupervisorState::carry_out(effect::Emit& x) {
  if (std::holds_alternative<events::PlanApplied>(x.body)) face_->tell(info());
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
  face_->retire(end_for_others());
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
  return join_path(with_.path, face_->name(child));
}

SupervisorInfo SupervisorState::info() const {
  return info_of(*engine_);
}

// What those hear who wait for an answer of this supervisor when it ends.
Error SupervisorState::end_for_others() const {
  if (with_.services->stopping) {
    return {Error::Code::shutting_down, "the tree is shutting down; nothing more can be asked"};
  }
  return {Error::Code::gone, with_.path + " ended before it was done; look at it and ask again"};
}

effect::Finished SupervisorState::unexpected_end() const {
  effect::Finished result{.result = effect::Result::failed};
  result.exit = fault_.empty() ? ExitRecord{.kind = ExitKind::aborted, .message = "killed"}
                               : ExitRecord{.kind = ExitKind::panicked,
                                            .category = FailureCategory::panic,
                                            .message = fault_};
  for (ChildIndex i = 0; i < lives_.size(); ++i) {
    if (face_->is_removed(i)) continue;
    const auto outcome =
        lives_[i].child ? ChildShutdownOutcome::aborted : ChildShutdownOutcome::already_exited;
    result.children.push_back(
        {.path = path_of(i), .outcome = outcome, .generation = shown(lives_[i].generation)});
  }
  return result;
}

SupervisorActor::SupervisorActor(caf::actor_config& config, SupervisorStart start)
    : caf::stateful_actor<SupervisorState>(config),
      start_(std::move(start)),
      lane_(lane_of(home_system())) {}

void SupervisorActor::enqueue(caf::mailbox_element_ptr message, caf::execution_unit* unit) {
  caf::stateful_actor<SupervisorState>::enqueue(std::move(message), lane_ ? lane_ : unit);
}

void SupervisorActor::launch(caf::execution_unit* unit, bool lazy, bool hide) {
  caf::stateful_actor<SupervisorState>::launch(lane_ ? lane_ : unit, lazy, hide);
}

caf::behavior SupervisorActor::make_behavior() {
  return state.make_behavior(std::move(start_));
}

}  // namespace espalier::supervisor
