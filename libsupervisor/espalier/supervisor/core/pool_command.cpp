#include "espalier/supervisor/core/internal/pool_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

namespace {

std::string count_of(std::uint64_t n) {
  return std::to_string(n) + (n == 1 ? " instance" : " instances");
}

// What the file says of the pool now, as an order to scale. How many a person made of it stays,
// within the new bounds, unless the file says another size than before.
std::shared_ptr<const Command> follow(const Command& reload, PoolSpec& pool,
                                      std::uint64_t members) {
  const PoolSpec& wanted = *reload.spec->pool;
  const auto size = wanted.size == pool.size ? members : wanted.size;
  pool.size = wanted.size;
  pool.min = wanted.min;
  pool.max = wanted.max;
  auto command = std::make_shared<Command>(reload);
  command->size = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::max<std::uint64_t>(size, pool.min), pool.max));
  return command;
}

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

}  // namespace

void PoolEngine::Impl::on(const input::Order& in, TimePoint now) {
  const auto& meta = in.command->meta;
  if (mode_ == Mode::finished) {
    refuse(in, {}, Error::Code::gone, context_.path + " has ended");
  } else if (mode_ == Mode::closing) {
    refuse(in, {}, Error::Code::shutting_down, context_.path + " is stopping");
  } else if (mode_ == Mode::idle) {
    refuse(in, {}, Error::Code::wrong_state, context_.path + " has not been started yet");
  } else if (is_blank(meta.requested_by) || is_blank(meta.reason)) {
    refuse(in, {}, Error::Code::blank_meta,
           "say who asks and why: requested_by and reason may not be blank");
  } else if (in.child.empty()) {
    order_pool(in, now);
  } else if (const auto i = table_.find(in.child)) {
    if (auto stale = stale_generation(*in.command, shown(table_[*i].generation))) {
      refuse(in, *i, stale->code, stale->message);
    } else {
      order_instance(in, *i, now);
    }
  } else {
    refuse(in, {}, Error::Code::not_found,
           join_path(context_.path, in.child) + " does not exist; instances are named by number, " +
               std::to_string(table_.last_number()) + " is the last that was made");
  }
}

void PoolEngine::Impl::order_pool(const input::Order& in, TimePoint now) {
  switch (in.command->kind) {
    case CommandKind::scale_pool:
      scale(in, now);
      break;
    case CommandKind::add_child:
      add(in, now);
      break;
    case CommandKind::set_policy:
      set_policy(in);
      break;
    case CommandKind::reload:
      if (in.command->spec && in.command->spec->pool) {
        scale({in.ticket, in.child, follow(*in.command, pool_, table_.members())}, now);
        break;
      }
      refuse(in, {}, Error::Code::wrong_kind,
             context_.path +
                 " is a pool and cannot be reloaded in place: use scale_pool or "
                 "set_policy, or reload the supervisor above it");
      break;
    default:
      refuse(in, {}, Error::Code::wrong_kind,
             std::string{to_string(in.command->kind)} + " is not for a pool: " + context_.path +
                 " takes scale_pool, add_child and set_policy");
      break;
  }
}

void PoolEngine::Impl::scale(const input::Order& in, TimePoint now) {
  const std::uint64_t from = table_.members();
  const std::uint64_t to = in.command->size;
  if (to < pool_.min || to > pool_.max) {
    refuse(in, {}, Error::Code::limit_reached,
           context_.path + " holds " + std::to_string(pool_.min) + " to " + count_of(pool_.max) +
               ", not " + std::to_string(to));
    return;
  }
  const auto change = std::to_string(from) + " to " + count_of(to);
  if (to == from) {
    done(in, {}, context_.path + " has " + count_of(to) + " already", false);
  } else if (in.command->dry_run) {
    would(in, {}, "scale " + context_.path + " from " + change);
  } else {
    const auto operation = accept(in, to > from ? Aim::up : Aim::gone, {},
                                  context_.path + " was scaled from " + change);
    Cause cause;
    cause.caused_by = emit(cause, events::PoolScaled{from, to});
    cause.correlation = cause.caused_by;
    // Held open until all are asked, for some are gone at once.
    ++operations_.at(operation).awaited;
    for (auto n = from; n < to; ++n)
      begin_new(operation, cause, now);
    for (auto n = to; n < from; ++n) {
      const auto i = table_.newest();
      redirect(i, Aim::gone);
      wait_for(operation, i);
      at(i).cause = cause;
      begin_removal(i, in.command->meta.requested_by, now);
    }
    --operations_.at(operation).awaited;
    answer_if_through(operation);
  }
}

void PoolEngine::Impl::add(const input::Order& in, TimePoint now) {
  if (in.command->spec) {
    refuse(in, {}, Error::Code::invalid_spec,
           context_.path + " makes all its instances from its own template: add without a spec");
  } else if (table_.members() >= pool_.max) {
    refuse(in, {}, Error::Code::limit_reached,
           context_.path + " has " + count_of(table_.members()) + ", its max: remove one first");
  } else if (in.command->dry_run) {
    would(in, {}, "add one instance to " + context_.path);
  } else {
    begin_new(accept(in, Aim::up, {}, {}), {}, now);
  }
}

void PoolEngine::Impl::begin_new(OperationId operation, Cause cause, TimePoint now) {
  auto& order = operations_.at(operation);
  const auto i = create(now);
  auto& slot = at(i);
  slot.cause = cause;
  slot.cause.caused_by = emit_child(i, events::ChildAdded{order.command->meta.requested_by});
  if (slot.cause.correlation == 0) slot.cause.correlation = slot.cause.caused_by;
  if (order.command->kind == CommandKind::add_child) {
    slot.trial = true;
    order.child = i;
    order.text = path_of(i) + " was added and is ready";
  }
  wait_for(operation, i);
  pass_gates(i, now);
}

void PoolEngine::Impl::set_policy(const input::Order& in) {
  if (!in.command->spec) {
    refuse(in, {}, Error::Code::invalid_spec, "set_policy needs a spec with the new policy");
  } else if (in.command->dry_run) {
    would(in, {}, "set the policy of all instances of " + context_.path);
  } else {
    auto changed = std::make_shared<ChildSpec>(*spec_);
    changed->policy = in.command->spec->policy;
    spec_ = std::move(changed);
    done(in, {},
         "the policy of all instances of " + context_.path +
             " is set; timers that run keep their time",
         true);
  }
}

}  // namespace espalier::supervisor
