#include "simulation/world.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace espalier::simulation {

namespace {

// Others may hold a life that has ended.
std::shared_ptr<Life> alive(const std::weak_ptr<Life>& life) {
  const auto result = life.lock();
  return result && result->context ? result : nullptr;
}

}  // namespace

Duration World::some(Duration least, Duration most) {
  const auto steps = static_cast<std::size_t>((most - least) / milliseconds{1}) + 1;
  return least + milliseconds{roll(steps)};
}

void World::later(Duration delay, std::function<void()> what) {
  agenda_.emplace(now() + delay, std::move(what));
}

std::optional<TimePoint> World::next_due() const {
  if (agenda_.empty()) return {};
  return agenda_.begin()->first;
}

bool World::do_something_due() {
  const auto due = std::distance(agenda_.begin(), agenda_.upper_bound(now()));
  if (due == 0) return false;
  const auto chosen =
      std::next(agenda_.begin(), static_cast<std::ptrdiff_t>(roll(static_cast<std::size_t>(due))));
  const auto what = std::move(chosen->second);
  agenda_.erase(chosen);
  what();
  return true;
}

std::shared_ptr<Life> World::begin(Life life) {
  const auto path = life.id.path;
  const auto name = path + "#" + std::to_string(life.number());
  auto& manners = manners_[path];
  if (manners.failing_starts > 0) {
    --manners.failing_starts;
    note("fails to start " + name);
    throw std::runtime_error("start of " + name + " fails");
  }
  note("begins " + name);
  ++lives_ever_;
  const auto result = std::make_shared<Life>(std::move(life));
  auto& place = lives_[path];
  if (place && !place->may_have_company) {
    breach(name + " begins while #" + std::to_string(place->number()) + " lives");
  }
  place = result;
  become_ready(result);
  give_signs_of_life(result);
  return result;
}

void World::overrule(const std::string& path) {
  for (const auto& [name, life] : lives_) {
    if (life->abandoned && is_at_or_below(name, path)) life->may_have_company = true;
  }
}

void World::become_ready(const std::shared_ptr<Life>& life) {
  later(some(milliseconds{0}, milliseconds{20}), [this, weak = std::weak_ptr<Life>{life}] {
    const auto here = alive(weak);
    if (!here || manners_[here->id.path].never_ready) return;
    if (here->is_process) {
      here->id.line->send(input::ChildRunning{here->id.child, here->id.generation, 4711});
    }
    here->context->report_ready();
  });
}

void World::give_signs_of_life(const std::shared_ptr<Life>& life) {
  const auto interval = life->context->heartbeat_interval();
  if (interval <= Duration::zero()) return;
  later(interval, [this, weak = std::weak_ptr<Life>{life}] {
    const auto here = alive(weak);
    if (!here) return;
    if (!manners_[here->id.path].mute) here->context->report_alive();
    give_signs_of_life(here);
  });
}

caf::behavior World::live_as_actor(caf::event_based_actor* self,
                                   std::shared_ptr<ChildContext> context) {
  Life born;
  born.id.path = context->path();
  born.id.generation = context->generation();
  born.context = std::move(context);
  born.actor = caf::actor_cast<caf::actor>(self);
  const auto life = begin(std::move(born));
  self->attach_functor([this, life](const caf::error&) { ended(life, {}); });
  self->set_exit_handler([this, weak = std::weak_ptr<Life>{life}](caf::exit_msg&) {
    if (const auto here = alive(weak)) asked_to_stop(here);
  });
  return {[self](const Last& last) {
    if (last.kind == ExitKind::completed) return self->quit();
    if (last.kind == ExitKind::stopped) return self->quit(caf::exit_reason::user_shutdown);
    if (last.kind == ExitKind::panicked) throw std::runtime_error(last.text);
    throw ChildFailure(last.category, last.text);
  }};
}

void World::asked_to_stop(const std::shared_ptr<Life>& life) {
  note("is asked to stop " + life->id.path);
  life->asked = true;
  const auto& manners = manners_[life->id.path];
  if (manners.ignores_stop) return;
  const auto takes = manners.stop_takes + some(milliseconds{0}, milliseconds{3});
  later(takes, [this, weak = std::weak_ptr<Life>{life}] {
    if (const auto here = alive(weak)) end(here, {.kind = ExitKind::stopped});
  });
}

void World::told_to_abort(const std::shared_ptr<Life>& life) {
  note("is told to abort " + life->id.path);
  life->aborted = true;
  if (manners_[life->id.path].ignores_abort) return;
  later(some(milliseconds{0}, milliseconds{1}), [this, weak = std::weak_ptr<Life>{life}] {
    if (const auto here = alive(weak)) end(here, {.kind = ExitKind::aborted});
  });
}

void World::give_up(const std::string& path, std::uint64_t number) {
  untold_.erase({path, number});
  const auto life = living(path);
  if (life && life->number() == number) life->abandoned = true;
}

void World::end(const std::shared_ptr<Life>& life, const Last& last) {
  if (living(life->id.path) != life) return;
  if (!life->attempt) {
    caf::anon_send(life->actor, last);
    return;
  }
  ended(life, last.text);
  life->attempt->report_exit({.kind = last.kind, .category = last.category, .message = last.text});
}

void World::ended(const std::shared_ptr<Life>& life, const std::string& text) {
  const auto& path = life->id.path;
  note("ends " + path + "#" + std::to_string(life->number()));
  if (!life->abandoned) untold_[{path, life->number()}] = text;
  const auto found = lives_.find(path);
  if (found != lives_.end() && found->second == life) lives_.erase(found);
  life->actor = nullptr;
  life->context.reset();
}

std::shared_ptr<Life> World::living(const std::string& path) const {
  const auto found = lives_.find(path);
  return found == lives_.end() ? nullptr : found->second;
}

void World::heal() {
  manners_.clear();
  for (const auto& [path, life] : lives_) {
    if (life->aborted || life->abandoned) {
      told_to_abort(life);
    } else if (life->asked) {
      asked_to_stop(life);
    } else {
      become_ready(life);
    }
  }
}

void World::note(const std::string& line) {
  const auto at = std::chrono::duration_cast<std::chrono::microseconds>(now().time_since_epoch());
  history_ += std::to_string(at.count()) + " " + line + "\n";
}

void World::breach(const std::string& what) {
  note("BREACH " + what);
  broken_.push_back(what);
}

World& world_of(const TreeServices& services) {
  return dynamic_cast<World&>(*services.output);
}

}  // namespace espalier::simulation
