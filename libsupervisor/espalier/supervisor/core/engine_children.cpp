#include "espalier/supervisor/core/internal/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::supervisor {

SupervisorEngine::Impl::Child& SupervisorEngine::Impl::at(ChildIndex i) {
  ++touched_;
  return children_[i];
}

ChildIndex SupervisorEngine::Impl::create_child(std::shared_ptr<const ChildSpec> spec) {
  ChildIndex i = nobody_there;
  Generation last = 0;
  // A scope under way knows its members by their places.
  const bool settled = !sequence_.active && scope_.step == Scope::Step::none;
  if (free_.empty() || !settled) {
    i = size();
    children_.emplace_back();
    specs_.emplace_back();
    position_.push_back(0);
    deadlines_.grow(children_.size() + 2);
  } else {
    i = free_.back();
    free_.pop_back();
    last = next_owner_after(children_[i].generation);
  }
  const bool changed = children_[i].changed;
  children_[i] = Child{};
  auto& child = children_[i];
  child.generation = last;
  child.changed = changed;
  child.since = now_;
  if (spec->policy.budget) child.bucket = std::make_unique<TokenBucket>(*spec->policy.budget);
  if (names_known_) names_.emplace(spec->name, i);
  specs_[i] = std::move(spec);
  touch(i);
  return i;
}

void SupervisorEngine::Impl::forget_child(ChildIndex i) {
  auto& child = at(i);
  disarm(i);
  if (!dependencies_.empty()) {
    for (const auto d : dependencies_[i])
      std::erase(dependants_[d], i);
    dependencies_[i].clear();
  }
  if (child.group >= 0) std::erase(groups_[static_cast<std::size_t>(child.group)].members, i);
  if (spec_of(i).sidecar) {
    if (const auto primary = find(spec_of(i).sidecar->primary)) {
      if (auto& linked = children_[*primary].sidecars) std::erase(*linked, i);
    }
  }
  become(i, Phase::removed);
  if (names_known_) names_.erase(spec_of(i).name);
  order_[position_[i]] = nobody_there;
  ++holes_;
  free_.push_back(i);
}

// Group, dependencies and sidecar of a child whose siblings all have their slots.
void SupervisorEngine::Impl::link(ChildIndex i) {
  const auto& spec = spec_of(i);
  auto& child = children_[i];
  child.group = group_named(spec.group);
  if (child.group >= 0) groups_[static_cast<std::size_t>(child.group)].members.push_back(i);
  if (!spec.dependencies.empty() || !dependencies_.empty()) {
    dependencies_.resize(children_.size());
    dependants_.resize(children_.size());
  }
  for (const auto& name : spec.dependencies) {
    const auto d = *find(name);
    dependencies_[i].push_back(d);
    dependants_[d].push_back(i);
  }
  if (!spec.sidecar || !spec.sidecar->linked_lifecycle) return;
  auto& linked = children_[*find(spec.sidecar->primary)].sidecars;
  if (!linked) linked = std::make_unique<std::vector<ChildIndex>>();
  linked->push_back(i);
}

void SupervisorEngine::Impl::relink_all() {
  dependencies_.clear();
  dependants_.clear();
  for (auto& group : groups_)
    group.members.clear();
  for (auto& child : children_)
    child.sidecars.reset();
  for (ChildIndex i = 0; i < size(); ++i) {
    if (children_[i].phase != Phase::removed) link(i);
  }
}

void SupervisorEngine::Impl::set_order(const std::vector<ChildIndex>& order) {
  order_ = order;
  holes_ = 0;
  for (std::uint32_t p = 0; p < order_.size(); ++p)
    position_[order_[p]] = p;
}

void SupervisorEngine::Impl::compact_order() {
  if (holes_ < 64 || holes_ * 2 < order_.size()) return;
  std::erase(order_, nobody_there);
  set_order(std::vector<ChildIndex>(order_));
}

std::optional<ChildIndex> SupervisorEngine::Impl::find(const std::string& name) {
  if (!names_known_) {
    names_known_ = true;
    names_.reserve(children_.size());
    for (ChildIndex i = 0; i < size(); ++i) {
      if (children_[i].phase != Phase::removed) names_.emplace(spec_of(i).name, i);
    }
  }
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

std::int32_t SupervisorEngine::Impl::group_named(const std::string& name) const {
  if (name.empty()) return -1;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].spec.name == name) return static_cast<std::int32_t>(g);
  }
  return -1;
}

// A group that stays keeps its window, its tokens and its being held.
void SupervisorEngine::Impl::set_groups(std::vector<GroupSpec> specs) {
  auto before = std::exchange(groups_, {});
  for (auto& spec : specs) {
    Group group;
    const auto old = std::find_if(before.begin(), before.end(),
                                  [&](const auto& x) { return x.spec.name == spec.name; });
    if (old != before.end()) group = std::move(*old);
    if (!spec.budget) {
      group.bucket.reset();
    } else if (group.bucket) {
      group.bucket->set(*spec.budget);
    } else {
      group.bucket = std::make_unique<TokenBucket>(*spec.budget);
    }
    group.spec = std::move(spec);
    groups_.push_back(std::move(group));
  }
}

void SupervisorEngine::Impl::become(ChildIndex i, Phase phase) {
  auto& child = children_[i];
  child.phase = phase;
  child.since = now_;
  touch(i);
  if (child.tickets) answer_tickets(i);
}

void SupervisorEngine::Impl::touch(ChildIndex i) {
  if (!std::exchange(children_[i].changed, true)) changed_.push_back(i);
}

std::vector<ChildIndex> SupervisorEngine::Impl::take_changed() {
  for (const auto i : changed_)
    children_[i].changed = false;
  return std::exchange(changed_, {});
}

ChildView SupervisorEngine::Impl::view(ChildIndex i, TimePoint now) {
  auto& child = children_.at(i);
  const auto& limit = spec_of(i).policy.restart_limit;
  ChildView view;
  view.phase = child.phase;
  view.intent = child.intent;
  view.generation = shown(child.generation);
  view.attempt = child.attempt;
  view.restarts_total = child.restarts_total;
  view.restarts_in_window = limit ? child.window.count(*limit, now) : 0;
  view.restart_limit = limit ? limit->max_restarts : 0;
  view.since = child.since;
  view.due = deadlines_.at(slot_of(i));
  if (is_live(child.phase)) view.pid = child.pid;
  view.status = child.status;
  view.last_exit = child.last_exit;
  view.last_decision = child.last_decision;
  view.last_cause = child.decided;
  return view;
}

bool SupervisorEngine::Impl::is_live(Phase phase) {
  return phase == Phase::starting || phase == Phase::running || phase == Phase::suspended ||
         phase == Phase::stopping || phase == Phase::aborting;
}

bool SupervisorEngine::Impl::is_waiting(Phase phase) {
  return phase == Phase::backing_off || phase == Phase::queued || phase == Phase::blocked ||
         phase == Phase::gated;
}

bool SupervisorEngine::Impl::is_current(ChildIndex i, Generation generation) {
  if (i >= children_.size()) return false;
  const auto& child = at(i);
  if (generation != 0 && generation == child.generation && is_live(child.phase)) return true;
  report_stale(i, generation);
  return false;
}

void SupervisorEngine::Impl::report_stale(ChildIndex i, Generation generation) {
  emit_child(i, Cause{}, events::StaleReport{shown(generation)});
}

// The child's own word counts before its group's, that before the supervisor's.
Strategy SupervisorEngine::Impl::strategy_of(ChildIndex i) const {
  if (const auto own = spec_of(i).strategy_override) return *own;
  const auto group = children_[i].group;
  if (group >= 0) {
    if (const auto its = groups_[static_cast<std::size_t>(group)].spec.strategy) return *its;
  }
  return spec_.strategy;
}

}  // namespace espalier::supervisor
