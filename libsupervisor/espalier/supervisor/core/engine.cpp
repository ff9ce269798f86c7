#include "espalier/supervisor/core/engine.hpp"

#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <unordered_map>
#include <utility>

namespace espalier::supervisor {

SupervisorEngine::SupervisorEngine(SupervisorSpec spec, EngineContext context)
    : impl_(std::make_unique<Impl>(std::move(spec), std::move(context))) {}
SupervisorEngine::~SupervisorEngine() = default;
SupervisorEngine::SupervisorEngine(SupervisorEngine&&) noexcept = default;
SupervisorEngine& SupervisorEngine::operator=(SupervisorEngine&&) noexcept = default;

std::vector<Effect> SupervisorEngine::handle(const Input& what, TimePoint now) {
  return impl_->handle(what, now);
}
std::optional<TimePoint> SupervisorEngine::next_deadline() const {
  return impl_->next_deadline();
}
const SupervisorSpec& SupervisorEngine::spec() const {
  return impl_->spec();
}
SupervisorEngine::Phase SupervisorEngine::phase(ChildIndex child) const {
  return impl_->phase(child);
}
Generation SupervisorEngine::generation(ChildIndex child) const {
  return impl_->generation(child);
}
std::uint64_t SupervisorEngine::slots_touched() const {
  return impl_->slots_touched();
}

SupervisorEngine::Impl::Impl(SupervisorSpec spec, EngineContext context)
    : spec_(std::move(spec)),
      context_(std::move(context)),
      random_(context_.seed),
      children_(spec_.children.size()),
      position_(spec_.children.size()),
      deadlines_(spec_.children.size() + 2) {
  if (!context_.sequence) context_.sequence = std::make_shared<std::atomic<std::uint64_t>>(0);
  order_.reserve(children_.size());
  for (const auto i : start_order(spec_).order) {
    position_[i] = static_cast<std::uint32_t>(order_.size());
    order_.push_back(static_cast<ChildIndex>(i));
  }
  std::unordered_map<std::string, ChildIndex> index;
  for (ChildIndex i = 0; i < children_.size(); ++i)
    index.emplace(spec_of(i).name, i);
  for (ChildIndex i = 0; i < children_.size(); ++i) {
    for (const auto& name : spec_of(i).dependencies) {
      dependencies_.resize(children_.size());
      dependants_.resize(children_.size());
      dependencies_[i].push_back(index.at(name));
      dependants_[index.at(name)].push_back(i);
    }
  }
}

std::vector<Effect> SupervisorEngine::Impl::handle(const Input& what, TimePoint now) {
  if (mode_ != Mode::finished || std::holds_alternative<input::ChildExited>(what)) {
    std::visit([&](const auto& in) { on(in, now); }, what);
  }
  return std::exchange(out_, {});
}

void SupervisorEngine::Impl::on(const input::Start& in, TimePoint now) {
  if (mode_ != Mode::idle) return;
  mode_ = Mode::starting;
  started_at_ = now;
  cause_ = in.cause;
  const auto sequence = emit(cause_, events::TreeStarting{});
  if (cause_.correlation == 0) cause_.correlation = sequence;
  cause_.caused_by = sequence;
  begin_sequence(0, false);
  advance_sequence(now);
}

void SupervisorEngine::Impl::on(const input::TimePassed&, TimePoint now) {
  while (const auto slot = deadlines_.pop_due(now)) {
    on_deadline(*slot, now);
    if (mode_ == Mode::finished) return;
  }
}

void SupervisorEngine::Impl::on_deadline(std::uint32_t slot, TimePoint now) {
  if (slot == scope_slot()) {
    pursue_scope(now);
  } else if (slot != closing_slot()) {
    on_child_deadline(slot, now);
  } else if (closing_.step == Closing::Step::draining) {
    end_drain(now);
  } else {
    abandon_stragglers(now);
  }
}

void SupervisorEngine::Impl::on_child_deadline(ChildIndex i, TimePoint now) {
  auto& child = at(i);
  switch (child.phase) {
    case Phase::backing_off:
      start_child(i, now);
      break;
    case Phase::starting:
      child.forced = ExitKind::timed_out;
      child.asked = Asked::timeout;
      child.asked_at = now;
      abort_child(i, now);
      break;
    case Phase::running:
      if (child.alive_until > now) {
        deadlines_.arm(i, child.alive_until);
        break;
      }
      child.forced = ExitKind::unhealthy;
      child.asked = Asked::timeout;
      child.asked_at = now;
      child.cause = {};
      child.cause.caused_by = emit_child(i, events::ChildUnhealthy{"watchdog"});
      child.cause.correlation = child.cause.caused_by;
      abort_child(i, now);
      break;
    case Phase::stopping:
    case Phase::aborting:
      if (mode_ == Mode::closing) {
        become_straggler(i);
        pursue_closing(now);
      } else if (child.phase == Phase::stopping) {
        abort_child(i, now);
      } else {
        give_up_on(i, now);
      }
      break;
    default:
      break;
  }
}

std::uint64_t SupervisorEngine::Impl::emit(Cause cause, EventBody body) {
  effect::Emit what;
  what.cause = cause;
  what.body = std::move(body);
  return emit_at(std::move(what));
}

std::uint64_t SupervisorEngine::Impl::emit_child(ChildIndex i, EventBody body) {
  return emit_child(i, children_[i].cause, std::move(body));
}

std::uint64_t SupervisorEngine::Impl::emit_child(ChildIndex i, Cause cause, EventBody body) {
  effect::Emit what;
  what.child = i;
  what.generation = children_[i].generation;
  what.attempt = children_[i].attempt;
  what.cause = cause;
  what.body = std::move(body);
  return emit_at(std::move(what));
}

std::uint64_t SupervisorEngine::Impl::emit_at(effect::Emit what) {
  what.sequence = context_.sequence->fetch_add(1, std::memory_order_relaxed) + 1;
  if (what.cause.correlation == 0) what.cause.correlation = what.sequence;
  const auto sequence = what.sequence;
  out_.emplace_back(std::move(what));
  return sequence;
}

SupervisorEngine::Impl::Child& SupervisorEngine::Impl::at(ChildIndex i) {
  ++touched_;
  return children_[i];
}

bool SupervisorEngine::Impl::is_live(Phase phase) {
  return phase == Phase::starting || phase == Phase::running || phase == Phase::stopping ||
         phase == Phase::aborting;
}

bool SupervisorEngine::Impl::is_current(ChildIndex i, Generation generation) {
  if (i >= children_.size()) return false;
  const auto& child = at(i);
  if (generation != 0 && generation == child.generation && is_live(child.phase)) return true;
  report_stale(i, generation);
  return false;
}

void SupervisorEngine::Impl::report_stale(ChildIndex i, Generation generation) {
  emit_child(i, Cause{}, events::StaleReport{generation});
}

const char* to_string(SupervisorEngine::Phase x) {
  using Phase = SupervisorEngine::Phase;
  switch (x) {
    case Phase::idle:
      return "idle";
    case Phase::blocked:
      return "blocked";
    case Phase::backing_off:
      return "backing_off";
    case Phase::starting:
      return "starting";
    case Phase::running:
      return "running";
    case Phase::stopping:
      return "stopping";
    case Phase::aborting:
      return "aborting";
    case Phase::stopped:
      return "stopped";
    case Phase::quarantined:
      return "quarantined";
    case Phase::abandoned:
      return "abandoned";
  }
  return "";
}

}  // namespace espalier::supervisor
