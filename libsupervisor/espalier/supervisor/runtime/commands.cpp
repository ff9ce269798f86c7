#include "espalier/supervisor/actor/supervisor_thread.hpp"
#include "espalier/supervisor/runtime/supervisor_impl.hpp"

#include <algorithm>
#include <future>
#include <utility>

namespace espalier::supervisor {

namespace {

// An instant further off would overflow the clock.
constexpr Duration longest_wait = std::chrono::hours{24 * 365};

Error on_own_thread() {
  return {Error::Code::wrong_state,
          "a supervisor cannot wait for itself; use the form of execute that takes a callback"};
}

Command about(CommandKind kind, std::string path, CommandMeta meta) {
  return {.kind = kind, .path = std::move(path), .meta = std::move(meta)};
}

}  // namespace

void SupervisorHandle::execute(Command command, Answer done) const {
  const bool ends = command.kind == CommandKind::shutdown_tree && !command.dry_run;
  if (ends && !meta_problem(command.kind, command.meta)) {
    impl_->tree().note_stop(command.meta.requested_by + ": " + command.meta.reason);
  }
  const auto& router = impl_->router();
  if (auto* registry = impl_->registry(); registry && !router.is_instance(command)) {
    auto problem = router.problem_of(command);
    if (!problem) problem = registry->follow(command, done);
    if (problem) return done(unexpected<Error>(std::move(*problem)));
  }
  router.execute(std::move(command), std::move(done));
}

CommandResult SupervisorHandle::execute(Command command, Duration deadline) const {
  if (SupervisorThreadMark::is_set()) return unexpected<Error>(on_own_thread());
  const auto answer = std::make_shared<std::promise<CommandResult>>();
  auto answered = answer->get_future();
  const auto what = std::string{to_string(command.kind)} + " of " + command.path;
  execute(std::move(command), [answer](const CommandResult& result) { answer->set_value(result); });
  const auto wait = std::clamp(deadline, Duration::zero(), longest_wait);
  if (answered.wait_for(wait) == std::future_status::ready) {
    auto result = answered.get();
    if (auto* registry = impl_->registry(); registry && result) {
      const auto problem = registry->wait_written(wait);
      if (problem) result->text += "; not kept over a restart: " + *problem;
    }
    return result;
  }
  return unexpected<Error>(Error{Error::Code::timed_out,
                                 what + " is not done within " + human(deadline) + "; it goes on"});
}

CommandResult SupervisorHandle::add_child(const std::string& parent, ChildSpec spec,
                                          CommandMeta meta, Duration deadline) const {
  auto command = about(CommandKind::add_child, parent, std::move(meta));
  command.spec = std::make_shared<ChildSpec>(std::move(spec));
  return execute(std::move(command), deadline);
}

CommandResult SupervisorHandle::add_instance(const std::string& pool, CommandMeta meta,
                                             Duration deadline) const {
  return execute(about(CommandKind::add_child, pool, std::move(meta)), deadline);
}

CommandResult SupervisorHandle::remove_child(const std::string& path, CommandMeta meta,
                                             Duration deadline) const {
  return execute(about(CommandKind::remove_child, path, std::move(meta)), deadline);
}

CommandResult SupervisorHandle::start_child(const std::string& path, CommandMeta meta,
                                            Duration deadline) const {
  return execute(about(CommandKind::start_child, path, std::move(meta)), deadline);
}

CommandResult SupervisorHandle::stop_child(const std::string& path, CommandMeta meta,
                                           Duration deadline) const {
  return execute(about(CommandKind::stop_child, path, std::move(meta)), deadline);
}

CommandResult SupervisorHandle::restart_child(const std::string& path, CommandMeta meta,
                                              Duration deadline) const {
  return execute(about(CommandKind::restart_child, path, std::move(meta)), deadline);
}

CommandResult SupervisorHandle::pause_child(const std::string& path, CommandMeta meta,
                                            Duration deadline) const {
  return execute(about(CommandKind::pause_child, path, std::move(meta)), deadline);
}

CommandResult SupervisorHandle::resume_child(const std::string& path, CommandMeta meta,
                                             Duration deadline) const {
  return execute(about(CommandKind::resume_child, path, std::move(meta)), deadline);
}

CommandResult SupervisorHandle::quarantine_child(const std::string& path, CommandMeta meta,
                                                 Duration deadline) const {
  return execute(about(CommandKind::quarantine_child, path, std::move(meta)), deadline);
}

CommandResult SupervisorHandle::reset_child(const std::string& path, CommandMeta meta,
                                            Duration deadline) const {
  return execute(about(CommandKind::reset_child, path, std::move(meta)), deadline);
}

CommandResult SupervisorHandle::set_policy(const std::string& path, ChildPolicy policy,
                                           CommandMeta meta, Duration deadline) const {
  auto command = about(CommandKind::set_policy, path, std::move(meta));
  command.spec = std::make_shared<ChildSpec>(ChildSpec{.policy = std::move(policy)});
  return execute(std::move(command), deadline);
}

CommandResult SupervisorHandle::reset_group(const std::string& supervisor, const std::string& group,
                                            CommandMeta meta, Duration deadline) const {
  auto command = about(CommandKind::reset_group, supervisor, std::move(meta));
  command.group = group;
  return execute(std::move(command), deadline);
}

CommandResult SupervisorHandle::scale_pool(const std::string& path, std::uint32_t size,
                                           CommandMeta meta, Duration deadline) const {
  auto command = about(CommandKind::scale_pool, path, std::move(meta));
  command.size = size;
  return execute(std::move(command), deadline);
}

CommandResult SupervisorHandle::reload(SupervisorSpec spec, CommandMeta meta, bool dry_run,
                                       Duration deadline) const {
  auto command = about(CommandKind::reload, "/", std::move(meta));
  command.tree = std::make_shared<SupervisorSpec>(std::move(spec));
  command.dry_run = dry_run;
  return execute(std::move(command), deadline);
}

expected<TreeState, Error> SupervisorHandle::current_state(const StateQuery& query) const {
  return impl_->tree().state(query);
}

PhaseCounts SupervisorHandle::counts() const {
  return impl_->tree().services()->directory->totals()->counts();
}

HealthReport SupervisorHandle::health() const {
  return impl_->tree().health();
}

expected<Why, Error> SupervisorHandle::why(const std::string& path) const {
  return impl_->tree().why(path);
}

EventSubscription SupervisorHandle::subscribe_events(EventFilter filter, std::size_t capacity,
                                                     std::string name) const {
  return impl_->tree().hub().subscribe(std::move(filter), capacity, std::move(name));
}

void SupervisorHandle::report(EventBody body) const {
  publish_for_tree(*impl_->tree().services(), "/", {}, std::move(body));
}

EventPage SupervisorHandle::kept_events(std::uint64_t position, std::size_t limit) const {
  return impl_->tree().journal().read_from(position, limit);
}

std::uint64_t SupervisorHandle::kept_events_end() const {
  return impl_->tree().journal().end();
}

std::shared_ptr<void> SupervisorHandle::on_event(std::function<void()> wake) const {
  return impl_->tree().hub().on_event(std::move(wake));
}

RunSummary SupervisorHandle::summary() const {
  return impl_->tree().summary();
}

expected<Duration, Error> SupervisorHandle::ping(Duration limit) const {
  if (SupervisorThreadMark::is_set()) return unexpected<Error>(on_own_thread());
  const auto begun = std::chrono::steady_clock::now();
  auto answer = std::make_shared<std::promise<void>>();
  auto answered = answer->get_future();
  impl_->tree().line()->ping({std::move(answer)});
  if (answered.wait_for(std::clamp(limit, Duration::zero(), longest_wait)) !=
      std::future_status::ready) {
    return unexpected<Error>(
        Error{Error::Code::timed_out, "the root did not answer within " + human(limit)});
  }
  try {
    answered.get();
  } catch (const std::future_error&) {
    return unexpected<Error>(Error{Error::Code::gone, "the tree has ended; join tells how"});
  }
  return std::chrono::steady_clock::now() - begun;
}

}  // namespace espalier::supervisor
