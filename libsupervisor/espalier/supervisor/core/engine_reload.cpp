#include "espalier/supervisor/core/internal/engine_impl.hpp"
#include "espalier/supervisor/core/tree_plan.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace espalier::supervisor {

void SupervisorEngine::Impl::order_supervisor(const Ticket& ticket) {
  switch (ticket.command->kind) {
    case CommandKind::add_child:
      return add_child(ticket);
    case CommandKind::reset_group:
      return reset_group(ticket);
    case CommandKind::reload:
      return reload(ticket);
    case CommandKind::shutdown_tree: {
      CommandOutcome outcome;
      outcome.path = context_.path;
      outcome.text = context_.path + (ticket.command->dry_run ? " would shut down" : " shuts down");
      outcome.changed = !ticket.command->dry_run;
      reply(ticket, std::move(outcome));
      if (ticket.command->dry_run) return;
      const auto& meta = ticket.command->meta;
      return on(input::Stop{meta.requested_by + ": " + meta.reason, {}, {}});
    }
    default:
      refuse(ticket, Error::Code::wrong_kind,
             std::string{to_string(ticket.command->kind)} + " is for a child, and " +
                 context_.path + " is the supervisor itself; name one of its children");
  }
}

std::optional<Error> SupervisorEngine::Impl::problem_of_new(const ChildSpec& spec) {
  using Code = Error::Code;
  const auto path = join_path(context_.path, spec.name);
  if (!spec_.dynamic.enabled) {
    return Error{Code::limit_reached, context_.path + " takes no children at run time; " +
                                          "set dynamic.enabled to allow it"};
  }
  const auto count = order_.size() - holes_;
  if (spec_.dynamic.child_limit && count >= *spec_.dynamic.child_limit) {
    return Error{Code::limit_reached,
                 context_.path + " has " + std::to_string(count) +
                     " children, as many as dynamic.child_limit allows; remove one first"};
  }
  if (!is_valid_name(spec.name)) {
    return Error{Code::invalid_spec, "a child cannot be named '" + spec.name +
                                         "': names begin with a letter or _ and go on with " +
                                         "letters, digits, _ . -"};
  }
  if (find(spec.name)) return Error{Code::name_taken, path + " exists already"};
  for (const auto& name : spec.dependencies) {
    if (!find(name)) {
      return Error{Code::dependency, path + " depends on \"" + name + "\", which is no sibling"};
    }
  }
  if (spec.sidecar && !find(spec.sidecar->primary)) {
    return Error{Code::dependency,
                 path + " accompanies \"" + spec.sidecar->primary + "\", which is no sibling"};
  }
  if (spec.sidecar && spec_of(*find(spec.sidecar->primary)).sidecar) {
    return Error{Code::invalid_spec, path + " accompanies \"" + spec.sidecar->primary +
                                         "\", which is a sidecar itself; name its primary"};
  }
  if (!spec.group.empty() && group_named(spec.group) < 0) {
    return Error{Code::invalid_spec, path + ": " + context_.path + " has no group " + spec.group};
  }
  const bool endless =
      spec_.auto_shutdown == AutoShutdown::never || spec.policy.restart == RestartType::permanent;
  if (spec.significant && endless) {
    return Error{Code::invalid_spec, path +
                                         " is significant; that needs an auto_shutdown of its "
                                         "supervisor and a restart type other than permanent"};
  }
  return std::nullopt;
}

// All or nothing: until it is ready once, a failed start takes it away again.
void SupervisorEngine::Impl::add_child(const Ticket& ticket) {
  const auto& spec = ticket.command->spec;
  if (!spec) return refuse(ticket, Error::Code::invalid_spec, "add_child needs a child");
  if (const auto problem = problem_of_new(*spec)) {
    return refuse(ticket, problem->code, problem->message);
  }
  if (ticket.command->dry_run) {
    CommandOutcome outcome;
    outcome.path = join_path(context_.path, spec->name);
    outcome.text = outcome.path + " would be added and started";
    outcome.changed = false;
    outcome.plan = {outcome.text};
    out_.emplace_back(effect::Reply{ticket.number, std::move(outcome)});
    return;
  }
  const auto i = create_child(spec);
  position_[i] = static_cast<std::uint32_t>(order_.size());
  order_.push_back(i);
  link(i);
  auto& child = children_[i];
  child.dynamic = true;
  child.tentative = true;
  out_.emplace_back(effect::ChildCreated{i});
  child.cause.caused_by =
      emit_child(i, Cause{}, events::ChildAdded{ticket.command->meta.requested_by});
  child.cause.correlation = child.cause.caused_by;
  wait_for(i, ticket);
  const bool settled = !sequence_.active && scope_.step == Scope::Step::none;
  if (mode_ == Mode::serving && settled) {
    start_child(i);
  } else {
    waiting_adds_.push_back(i);
  }
}

void SupervisorEngine::Impl::reset_group(const Ticket& ticket) {
  const auto& name = ticket.command->group;
  const auto index = group_named(name);
  if (index < 0) {
    std::string known;
    for (const auto& group : groups_)
      known += (known.empty() ? "" : ", ") + group.spec.name;
    return refuse(ticket, Error::Code::not_found,
                  context_.path + " has no group " + name + "; " +
                      (known.empty() ? "it has none" : "it has: " + known));
  }
  auto& group = groups_[static_cast<std::size_t>(index)];
  CommandOutcome outcome;
  outcome.path = context_.path;
  outcome.changed = group.held;
  outcome.text = "the group " + name + (group.held ? " goes on" : " was not held");
  if (ticket.command->dry_run) {
    outcome.changed = false;
    outcome.text = "the group " + name + (group.held ? " would go on" : " is not held");
    outcome.plan = {outcome.text};
    out_.emplace_back(effect::Reply{ticket.number, std::move(outcome)});
    return;
  }
  group.window.clear();
  if (std::exchange(group.held, false)) {
    emit(Cause{}, events::GroupReset{name, "command"});
    auto members = group.members;
    sort_by_position(members);
    for (const auto i : members) {
      if (children_[i].phase == Phase::held) start_by_command(i);
    }
  }
  reply(ticket, std::move(outcome));
}

void SupervisorEngine::Impl::reload(const Ticket& ticket) {
  if (!ticket.command->tree) {
    return refuse(ticket, Error::Code::invalid_spec, "reload needs a tree");
  }
  if (scope_.reload || waiting_reload_) {
    return refuse(ticket, Error::Code::wrong_state,
                  context_.path + " is being reloaded; wait for that to end");
  }
  const bool settled =
      mode_ == Mode::serving && !sequence_.active && scope_.step == Scope::Step::none;
  if (settled || ticket.command->dry_run) {
    apply_reload(ticket);
  } else {
    waiting_reload_ = ticket;
  }
}

// What goes and what is made of something else stops first, last started first; then what is new
// takes effect; then the start order brings up what is to come.
void SupervisorEngine::Impl::apply_reload(const Ticket& ticket) {
  std::vector<std::shared_ptr<const ChildSpec>> specs;
  std::set<std::string> dynamic;
  for (const auto i : order_) {
    if (i == nobody_there) continue;
    specs.push_back(specs_[i]);
    if (children_[i].dynamic) dynamic.insert(spec_of(i).name);
  }
  const auto& wanted = *ticket.command->tree;
  const auto plan = plan_level(specs, dynamic, spec_, wanted, context_.path);
  if (plan.empty() || ticket.command->dry_run) {
    CommandOutcome outcome;
    outcome.path = context_.path;
    outcome.text = context_.path + (plan.empty() ? " is as it should be" : " would be changed");
    outcome.changed = false;
    outcome.plan = plan.lines;
    out_.emplace_back(effect::Reply{ticket.number, std::move(outcome)});
    return;
  }
  auto reload = std::make_unique<Reload>();
  reload->ticket = ticket;
  reload->plan = plan.lines;
  reload->counts = {plan.added.size(), plan.removed.size(), plan.restarted.size(),
                    plan.changed.size()};
  scope_ = {};
  for (const auto& name : plan.removed) {
    const auto i = *find(name);
    supersede(i, true);
    children_[i].intent = Intent::removed;
    reload->removed.push_back(i);
    scope_.members.push_back(i);
  }
  for (const auto& name : plan.restarted) {
    scope_.members.push_back(*find(name));
  }
  sort_by_position(scope_.members);
  scope_.reload = std::move(reload);
  scope_.cursor = scope_.members.size();
  scope_.due = scope_.began = now_;
  scope_.step = Scope::Step::stopping;
  pursue_scope();
}

// The members are down: from here on the new specification holds.
void SupervisorEngine::Impl::adopt_reload() {
  auto& reload = *scope_.reload;
  if (std::exchange(reload.adopted, true)) return;
  auto wanted = *reload.ticket.command->tree;
  for (const auto i : reload.removed) {
    std::erase(scope_.members, i);
    if (children_[i].phase == Phase::abandoned) continue;  // It may still live.
    land(i);
  }
  const auto order = start_order(wanted).order;
  set_groups(wanted.groups);
  if (wanted.budget && bucket_) {
    bucket_->set(*wanted.budget);
  } else {
    bucket_ = wanted.budget ? std::make_unique<TokenBucket>(*wanted.budget) : nullptr;
  }
  std::vector<ChildIndex> places;
  for (const auto& child : wanted.children)
    places.push_back(adopt_child(child));
  std::vector<ChildIndex> all;
  for (const auto place : order)
    all.push_back(places[place]);
  for (const auto i : order_) {
    if (i != nobody_there && std::find(places.begin(), places.end(), i) == places.end()) {
      all.push_back(i);
    }
  }
  set_order(all);
  wanted.children.clear();
  wanted.name = spec_.name;
  spec_ = std::move(wanted);
  relink_all();
}

ChildIndex SupervisorEngine::Impl::adopt_child(const ChildSpec& spec) {
  const auto known = find(spec.name);
  if (!known) {
    const auto i = create_child(std::make_shared<const ChildSpec>(spec));
    position_[i] = static_cast<std::uint32_t>(order_.size());
    order_.push_back(i);
    out_.emplace_back(effect::ChildCreated{i});
    scope_.members.push_back(i);
    emit_child(i, Cause{}, events::ChildAdded{scope_.reload->ticket.command->meta.requested_by});
    return i;
  }
  auto& child = children_[*known];
  child.dynamic = false;
  if (spec.policy.budget && child.bucket) {
    child.bucket->set(*spec.policy.budget);
  } else {
    child.bucket =
        spec.policy.budget ? std::make_unique<TokenBucket>(*spec.policy.budget) : nullptr;
  }
  specs_[*known] = std::make_shared<const ChildSpec>(spec);
  touch(*known);
  return *known;
}

void SupervisorEngine::Impl::finish_reload() {
  const auto reload = std::move(scope_.reload);
  emit(Cause{}, reload->counts);
  CommandOutcome outcome;
  outcome.path = context_.path;
  outcome.text = context_.path + " is changed";
  outcome.plan = reload->plan;
  reply(reload->ticket, std::move(outcome));
}

}  // namespace espalier::supervisor
