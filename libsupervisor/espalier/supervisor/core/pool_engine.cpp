#include "espalier/supervisor/core/pool_engine.hpp"

#include "espalier/supervisor/core/internal/pool_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

PoolEngine::PoolEngine(const PoolSpec& spec, EngineContext context)
    : impl_(std::make_unique<Impl>(spec, std::move(context))) {}
PoolEngine::~PoolEngine() = default;

std::vector<Effect> PoolEngine::handle(const Input& what, TimePoint now) {
  return impl_->handle(what, now);
}
std::optional<TimePoint> PoolEngine::next_deadline() const {
  return impl_->next_deadline();
}
ChildIndex PoolEngine::size() const {
  return impl_->table().size();
}
std::shared_ptr<const ChildSpec> PoolEngine::child_spec(ChildIndex) const {
  return impl_->child_spec();
}
std::string PoolEngine::child_name(ChildIndex child) const {
  return std::to_string(impl_->table()[child].number);
}
ChildView PoolEngine::view(ChildIndex child, TimePoint now) const {
  return impl_->view(child, now);
}
std::vector<ChildIndex> PoolEngine::take_changed() {
  return impl_->take_changed();
}
std::size_t PoolEngine::instances() const {
  return impl_->table().members();
}
std::size_t PoolEngine::pending_orders() const {
  return impl_->pending_orders();
}
std::size_t PoolEngine::pending_deadlines() const {
  return impl_->pending_deadlines();
}
std::uint64_t PoolEngine::slots_touched() const {
  return impl_->slots_touched();
}

PoolEngine::Impl::Impl(const PoolSpec& spec, EngineContext context)
    : pool_(spec),
      spec_(std::make_shared<const ChildSpec>(spec.child)),
      context_(std::move(context)),
      random_(context_.seed) {
  pool_.child = {};
  if (!context_.sequence) context_.sequence = std::make_shared<std::atomic<std::uint64_t>>(0);
}

std::vector<Effect> PoolEngine::Impl::handle(const Input& what, TimePoint now) {
  const bool always = std::holds_alternative<input::ChildExited>(what) ||
                      std::holds_alternative<input::Order>(what);
  if (mode_ != Mode::finished || always) {
    std::visit([&](const auto& in) { on(in, now); }, what);
  }
  return std::exchange(out_, {});
}

std::optional<TimePoint> PoolEngine::Impl::next_deadline() const {
  const auto next = deadlines_.next();
  if (closing_.due == never) return next;
  return next ? std::min(*next, closing_.due) : closing_.due;
}

void PoolEngine::Impl::on(const input::Start& in, TimePoint now) {
  if (mode_ != Mode::idle) return;
  mode_ = Mode::starting;
  started_at_ = now;
  cause_ = in.cause;
  const auto sequence = emit(cause_, events::TreeStarting{});
  if (cause_.correlation == 0) cause_.correlation = sequence;
  cause_.caused_by = sequence;
  const auto wanted = std::min(std::max(pool_.size, pool_.min), pool_.max);
  initial_pending_ = wanted + std::size_t{1};
  for (std::uint32_t n = 0; n < wanted; ++n) {
    const auto i = create(now);
    at(i).initial = true;
    at(i).cause = cause_;
    pass_gates(i, now);
  }
  settle_initial(no_slot, now);
}

/// The pool is up once each instance it began with has been ready once, or has ended once.
void PoolEngine::Impl::settle_initial(ChildIndex i, TimePoint now) {
  if (i != no_slot) {
    if (!table_[i].initial) return;
    table_[i].initial = false;
  }
  if (--initial_pending_ > 0 || mode_ != Mode::starting) return;
  mode_ = Mode::serving;
  emit(cause_, events::TreeStarted{now - started_at_});
  out_.emplace_back(effect::TreeUp{});
}

void PoolEngine::Impl::on(const input::TimePassed&, TimePoint now) {
  while (mode_ != Mode::finished) {
    if (closing_.due <= now) {
      on_closing_deadline(now);
    } else if (const auto i = deadlines_.pop_due(now)) {
      on_deadline(*i, now);
    } else {
      return;
    }
  }
}

void PoolEngine::Impl::on_deadline(ChildIndex i, TimePoint now) {
  auto& slot = at(i);
  switch (slot.phase) {
    case Phase::backing_off:
    case Phase::queued:
      proceed(i, now);
      break;
    case Phase::gated:
      slot.until = never;
      run_probe(i, input::ProbePurpose::gate);
      break;
    case Phase::starting:
      if (slot.until <= now) {
        force_end(i, ExitKind::timed_out, "not ready within " + human(now - slot.since), now);
      } else if (slot.more && slot.more->probe_at <= now) {
        slot.more->probe_at = never;
        run_probe(i, input::ProbePurpose::readiness);
        arm(i);
      }
      break;
    case Phase::running:
      on_running_deadline(i, now);
      break;
    case Phase::stopping:
    case Phase::aborting:
      if (mode_ == Mode::closing) {
        become_straggler(i);
        pursue_closing(now);
      } else if (slot.phase == Phase::stopping) {
        abort(i, now);
      } else {
        give_up_on(i, now);
      }
      break;
    default:
      break;
  }
}

void PoolEngine::Impl::on_running_deadline(ChildIndex i, TimePoint now) {
  auto& slot = at(i);
  if (slot.until <= now) {
    force_end(i, ExitKind::timed_out, "still running after " + human(now - slot.ready_at), now);
    return;
  }
  auto& more = *slot.more;
  if (more.alive_until <= now) {
    become_unhealthy(i, "watchdog", "no sign of life within " + human(policy().watchdog), now);
    return;
  }
  if (more.probe_at <= now) {
    more.probe_at = never;
    run_probe(i, input::ProbePurpose::health);
  }
  arm(i);
}

ChildView PoolEngine::Impl::view(ChildIndex i, TimePoint now) const {
  const auto& slot = table_[i];
  ChildView view;
  view.phase = slot.phase;
  view.intent = slot.intent;
  view.generation = shown(slot.generation);
  view.attempt = slot.attempt;
  view.restarts_total = slot.restarts_total;
  view.since = slot.since;
  view.due = deadlines_.at(i);
  const auto& limit = policy().restart_limit;
  if (limit) view.restart_limit = limit->max_restarts;
  if (!slot.more) return view;
  const auto& more = *slot.more;
  if (limit) {
    auto window = more.window;  // Counting forgets what is old.
    view.restarts_in_window = window.count(*limit, now);
  }
  view.pid = more.pid;
  view.status = more.status;
  view.last_exit = more.last_exit;
  view.last_decision = more.last_decision;
  view.last_cause = more.decision_cause;
  return view;
}

std::vector<ChildIndex> PoolEngine::Impl::take_changed() {
  for (const auto i : changed_)
    table_[i].changed = false;
  return std::exchange(changed_, {});
}

void PoolEngine::Impl::touch(ChildIndex i) {
  if (table_[i].changed) return;
  table_[i].changed = true;
  changed_.push_back(i);
}

void PoolEngine::Impl::enter(ChildIndex i, Phase phase, TimePoint now) {
  auto& slot = at(i);
  slot.phase = phase;
  slot.since = now;
  slot.until = never;
  touch(i);
}

std::uint64_t PoolEngine::Impl::emit(Cause cause, EventBody body) {
  effect::Emit what;
  what.cause = cause;
  what.body = std::move(body);
  return emit_at(std::move(what));
}

std::uint64_t PoolEngine::Impl::emit_child(ChildIndex i, EventBody body) {
  return emit_child(i, table_[i].cause, std::move(body));
}

std::uint64_t PoolEngine::Impl::emit_child(ChildIndex i, Cause cause, EventBody body) {
  effect::Emit what;
  what.child = i;
  what.generation = shown(table_[i].generation);
  what.attempt = table_[i].attempt;
  what.cause = cause;
  what.body = std::move(body);
  return emit_at(std::move(what));
}

std::uint64_t PoolEngine::Impl::emit_at(effect::Emit what) {
  what.sequence = context_.sequence->fetch_add(1, std::memory_order_relaxed) + 1;
  if (what.cause.correlation == 0) what.cause.correlation = what.sequence;
  const auto sequence = what.sequence;
  out_.emplace_back(std::move(what));
  return sequence;
}

PoolSlot& PoolEngine::Impl::at(ChildIndex i) {
  ++touched_;
  return table_[i];
}

PoolDetails& PoolEngine::Impl::details(ChildIndex i) {
  auto& more = table_[i].more;
  if (!more) more = std::make_unique<PoolDetails>();
  return *more;
}

std::string PoolEngine::Impl::path_of(ChildIndex i) const {
  return join_path(context_.path, std::to_string(table_[i].number));
}

bool PoolEngine::Impl::is_live(Phase phase) {
  return phase == Phase::starting || phase == Phase::running || phase == Phase::stopping ||
         phase == Phase::aborting;
}

/// A start lies ahead that may be taken back.
bool PoolEngine::Impl::is_pending(Phase phase) {
  return phase == Phase::backing_off || phase == Phase::queued || phase == Phase::gated;
}

bool PoolEngine::Impl::is_current(ChildIndex i, Generation generation) {
  if (i >= table_.size()) return false;
  const auto& slot = at(i);
  if (generation != 0 && generation == slot.generation && is_live(slot.phase)) return true;
  emit_child(i, Cause{}, events::StaleReport{shown(generation)});
  return false;
}

}  // namespace espalier::supervisor
