#include "espalier/supervisor/core/engine.hpp"

#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <numeric>
#include <utility>

namespace espalier::supervisor {

SupervisorEngine::SupervisorEngine(SupervisorSpec spec, EngineContext context)
    : impl_(std::make_unique<Impl>(std::move(spec), std::move(context))) {}
SupervisorEngine::~SupervisorEngine() = default;

std::vector<Effect> SupervisorEngine::handle(const Input& what, TimePoint now) {
  return impl_->handle(what, now);
}
std::optional<TimePoint> SupervisorEngine::next_deadline() const {
  return impl_->next_deadline();
}
ChildIndex SupervisorEngine::size() const {
  return impl_->size();
}
std::shared_ptr<const ChildSpec> SupervisorEngine::child_spec(ChildIndex child) const {
  return impl_->child_spec(child);
}
std::string SupervisorEngine::child_name(ChildIndex child) const {
  return impl_->child_spec(child)->name;
}
ChildView SupervisorEngine::view(ChildIndex child, TimePoint now) const {
  return impl_->view(child, now);
}
std::vector<ChildIndex> SupervisorEngine::take_changed() {
  return impl_->take_changed();
}
const SupervisorSpec& SupervisorEngine::spec() const {
  return impl_->spec();
}
ChildPhase SupervisorEngine::phase(ChildIndex child) const {
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
      deadlines_(spec_.children.size() + 2) {
  if (!context_.sequence) context_.sequence = std::make_shared<std::atomic<std::uint64_t>>(0);
  if (spec_.budget) bucket_ = std::make_unique<TokenBucket>(*spec_.budget);
  const auto order = start_order(spec_).order;
  set_groups(spec_.groups);
  children_.reserve(spec_.children.size());
  specs_.reserve(spec_.children.size());
  for (auto& child : spec_.children)
    create_child(std::make_shared<const ChildSpec>(std::move(child)));
  spec_.children.clear();
  set_order({order.begin(), order.end()});
  relink_all();
}

std::vector<Effect> SupervisorEngine::Impl::handle(const Input& what, TimePoint now) {
  now_ = now;
  const bool heard = std::holds_alternative<input::ChildExited>(what) ||
                     std::holds_alternative<input::Order>(what);
  if (mode_ != Mode::finished || heard) {
    std::visit([&](const auto& in) { on(in); }, what);
    settle();
  }
  return std::exchange(out_, {});
}

// What had to wait for a scope or a sequence to be through.
void SupervisorEngine::Impl::settle() {
  if (mode_ != Mode::serving) return;
  while (!sequence_.active && scope_.step == Scope::Step::none) {
    if (!waiting_adds_.empty()) {
      for (const auto i : std::exchange(waiting_adds_, {})) {
        if (children_[i].phase == Phase::idle) start_child(i);
      }
    } else if (waiting_reload_) {
      apply_reload(*std::exchange(waiting_reload_, std::nullopt));
    } else {
      break;
    }
    if (mode_ != Mode::serving) return;
  }
}

void SupervisorEngine::Impl::on(const input::Start& in) {
  if (mode_ != Mode::idle) return;
  mode_ = Mode::starting;
  started_at_ = now_;
  cause_ = in.cause;
  const auto sequence = emit(cause_, events::TreeStarting{});
  if (cause_.correlation == 0) cause_.correlation = sequence;
  cause_.caused_by = sequence;
  begin_sequence(order_, false);
  advance_sequence();
}

void SupervisorEngine::Impl::on(const input::TimePassed&) {
  while (const auto slot = deadlines_.pop_due(now_)) {
    if (*slot == scope_slot) {
      pursue_scope();
    } else if (*slot != closing_slot) {
      on_child_deadline(*slot - 2);
    } else if (closing_.step == Closing::Step::draining) {
      end_drain();
    } else {
      abandon_stragglers();
    }
    if (mode_ == Mode::finished) return;
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
  what.generation = shown(children_[i].generation);
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

}  // namespace espalier::supervisor
