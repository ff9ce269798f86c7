#include "simulation/injector.hpp"

#include <algorithm>
#include <utility>

namespace espalier::simulation {

namespace {

using Kind = Fault::Kind;

Duration longest_stop(const SupervisorSpec& spec) {
  return std::max(spec.shutdown.total_timeout, spec.shutdown.abort_wait);
}

}  // namespace

Injector::Injector(World& world, std::shared_ptr<TreeServices> services, SupervisorSpec spec,
                   std::function<void(Duration)> jump)
    : world_(world),
      services_(std::move(services)),
      spec_(std::move(spec)),
      router_(services_),
      jump_(std::move(jump)),
      longest_stop_(longest_stop(spec_)) {
  for (const std::size_t capacity : {4, 64, 1024})
    readers_.push_back({hub_->subscribe({}, capacity)});
  services_->sinks.push_back(hub_);
}

void Injector::apply(const Fault& fault) {
  world_.note("FAULT " + describe(fault));
  switch (fault.kind) {
    case Kind::clock_jump:
      // A stop that sleeps through its limits is late through no fault of its own.
      if (!stop_due_) jump_(milliseconds{fault.number});
      break;
    case Kind::command:
      command(fault);
      break;
    case Kind::reload:
      spec_ = RandomTree{fault.number}.edited(spec_);
      longest_stop_ = std::max(longest_stop_, longest_stop(spec_));
      execute({.kind = CommandKind::reload,
               .path = "/",
               .tree = std::make_shared<const SupervisorSpec>(spec_)});
      break;
    case Kind::read:
      read(readers_[fault.number % readers_.size()]);
      break;
    case Kind::stop:
      stop(fault.number % 2 == 0 ? std::nullopt
                                 : std::optional<Duration>{milliseconds{fault.number}});
      break;
    default:
      happen(fault);
      break;
  }
}

void Injector::happen(const Fault& fault) {
  if (fault.kind == Kind::crash_all) {
    std::vector<std::shared_ptr<Life>> all;
    for (const auto& [path, life] : world_.lives())
      if (is_at_or_below(path, fault.path)) all.push_back(life);
    for (const auto& life : all)
      happen_to(life, fault);
    return;
  }
  misbehave(world_.manners(fault.path), fault);
  if (const auto life = world_.living(fault.path)) happen_to(life, fault);
}

void Injector::misbehave(Manners& manners, const Fault& fault) {
  switch (fault.kind) {
    case Kind::failing_starts:
      manners.failing_starts = static_cast<std::uint32_t>(fault.number);
      break;
    case Kind::never_ready:
      manners.never_ready = true;
      break;
    case Kind::mute:
      manners.mute = true;
      break;
    case Kind::slow_stop:
      manners.stop_takes = milliseconds{fault.number};
      break;
    case Kind::ignores_abort:
      manners.ignores_stop = manners.ignores_abort = true;
      break;
    case Kind::ignores_stop:
      manners.ignores_stop = true;
      break;
    case Kind::mends:
      manners = {};
      break;
    default:
      break;
  }
}

void Injector::happen_to(const std::shared_ptr<Life>& life, const Fault& fault) {
  const auto& id = life->id;
  const auto text = "said at the end, " + std::to_string(fault.number);
  switch (fault.kind) {
    case Kind::crash:
    case Kind::crash_all:
      world_.end(life, {ExitKind::panicked, FailureCategory::panic, text});
      break;
    case Kind::fail: {
      const auto category = 1 + fault.number % 4;  // recoverable to fatal_bug
      world_.end(life, {ExitKind::failed, static_cast<FailureCategory>(category), text});
      break;
    }
    case Kind::complete:
      world_.end(life, {});
      break;
    case Kind::stale_exit:
      if (life->attempt && life->number() > 1) {
        id.line->send(input::ChildExited{id.child, id.generation - 1, {ExitKind::panicked}});
      }
      break;
    case Kind::extend:
      if (life->attempt) {
        id.line->send(input::ChildExtend{id.child, id.generation, milliseconds{fault.number}});
      }
      break;
    case Kind::asks:
      if (fault.number % 2 == 0) life->context->request_restart("a fault");
      if (fault.number % 2 == 1) life->context->request_tree_shutdown("a fault");
      break;
    default:
      break;
  }
}

void Injector::command(const Fault& fault) {
  Command result{.kind = fault.command, .path = fault.path};
  const auto some_leaf = [&] {
    return std::make_shared<const ChildSpec>(
        RandomTree{fault.number}.leaf("added" + std::to_string(fault.number % 3)));
  };
  if (fault.command == CommandKind::add_child) result.spec = some_leaf();
  if (fault.command == CommandKind::set_policy) result.spec = some_leaf();
  if (fault.command == CommandKind::scale_pool) {
    result.size = static_cast<std::uint32_t>(fault.number % 9);
  }
  if (fault.command == CommandKind::remove_child && fault.number % 2 == 0) {
    result.path = fault.path.substr(0, fault.path.rfind('/') + 1) + "added0";
  }
  result.dry_run = fault.number % 16 == 0;
  execute(std::move(result));
}

void Injector::execute(Command command) {
  const auto kind = command.kind;
  if (kind == CommandKind::start_child || kind == CommandKind::restart_child ||
      kind == CommandKind::resume_child) {
    world_.overrule(command.path);
  }
  command.meta = {.requested_by = "simulation", .reason = "a fault"};
  const auto number = answers_.size();
  answers_.push_back(0);
  router_.execute(std::move(command), [this, number](const CommandResult& result) {
    world_.note("command " + std::to_string(number) + ": " +
                (result ? result->text : result.error().message));
    if (++answers_[number] > 1) {
      world_.breach("command " + std::to_string(number) + " is answered twice");
    }
  });
}

void Injector::stop(std::optional<Duration> limit) {
  const auto root = services_->directory->find("/");
  if (!root) return;
  const auto total = limit ? std::min(*limit, longest_stop_) : longest_stop_;
  const auto due = world_.now() + std::max(total, spec_.shutdown.abort_wait);
  stop_due_ = stop_due_ ? std::min(*stop_due_, due) : due;
  root->line->send(input::Stop{"told to", limit, {}}, caf::message_priority::high);
}

void Injector::read(Reader& reader) {
  while (const auto event = reader.subscription.next(Duration::zero())) {
    ++reader.got;
    if (event->sequence <= reader.last) world_.breach("a subscriber reads an event out of order");
    reader.last = event->sequence;
  }
}

void Injector::check_end(std::uint64_t published) {
  for (auto& reader : readers_) {
    read(reader);
    const auto known = reader.got + reader.subscription.dropped();
    if (known != published) {
      world_.breach("a subscriber knows of " + std::to_string(known) + " events of " +
                    std::to_string(published));
    }
  }
  for (std::size_t i = 0; i < answers_.size(); ++i)
    if (answers_[i] == 0) world_.breach("command " + std::to_string(i) + " is never answered");
}

}  // namespace espalier::simulation
