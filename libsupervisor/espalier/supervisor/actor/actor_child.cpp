#include "espalier/supervisor/actor/actor_child.hpp"

#include "espalier/supervisor/actor/actor_factory.hpp"
#include "espalier/supervisor/actor/child.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace espalier::supervisor {

namespace {

const auto reason_category = caf::atom("espalier");

// Runs the user's behaviour. A class and not a function, so that its end is seen where it happens
// at no cost in memory.
class UserActor final : public caf::event_based_actor {
 public:
  UserActor(caf::actor_config& config, std::shared_ptr<TreeServices> services,
            const ActorFunction* make, std::shared_ptr<Attempt> attempt)
      : caf::event_based_actor(config),
        services_(std::move(services)),
        make_(make),
        attempt_(std::move(attempt)) {
    services_->census->actor_began();
  }

  const char* name() const override { return "espalier_child"; }

  void on_exit() override {
    attempt_.reset();
    if (const auto services = std::exchange(services_, nullptr)) services->census->actor_ended();
  }

 protected:
  caf::behavior make_behavior() override {
    set_default_handler(caf::drop);
    set_down_handler([](caf::down_msg&) {});
    set_exception_handler([](std::exception_ptr& thrown) { return reason_of(thrown); });
    return (*make_)(this, std::move(attempt_));
  }

 private:
  std::shared_ptr<TreeServices> services_;  // Keeps `make_` alive.
  const ActorFunction* make_;
  std::shared_ptr<Attempt> attempt_;
};

class ActorChild final : public Child {
 public:
  ActorChild(caf::event_based_actor* supervisor, caf::actor handle,
             std::shared_ptr<Attempt> attempt)
      : supervisor_(supervisor), handle_(std::move(handle)), attempt_(std::move(attempt)) {}

  void stop(const effect::StopChild&) override {
    attempt_->request_stop();
    end(caf::exit_reason::user_shutdown);
  }
  void abort(const effect::AbortChild&) override {
    attempt_->request_stop();
    end(caf::exit_reason::kill);
  }
  void supervisor_lost() noexcept override {
    attempt_->request_stop();
    end(caf::exit_reason::kill);
  }
  [[nodiscard]] caf::actor_id watched() const override { return handle_.id(); }

 private:
  // send_exit() would queue behind everything in the mailbox.
  void end(caf::exit_reason why) {
    caf::anon_send<caf::message_priority::high>(handle_,
                                                caf::exit_msg{supervisor_->address(), why});
  }

  caf::event_based_actor* supervisor_;
  caf::actor handle_;
  std::shared_ptr<Attempt> attempt_;
};

ExitRecord exit_record_of(caf::exit_reason reason) {
  switch (reason) {
    case caf::exit_reason::normal:
      return {.kind = ExitKind::completed};
    case caf::exit_reason::user_shutdown:
      return {.kind = ExitKind::stopped, .message = "asked to stop"};
    case caf::exit_reason::kill:
      return {.kind = ExitKind::aborted, .message = "killed"};
    default:
      return {.kind = ExitKind::failed,
              .category = FailureCategory::recoverable,
              .message = caf::to_string(reason)};
  }
}

std::string first_text(const caf::message& context) {
  return context.match_elements<std::string>() ? context.get_as<std::string>(0) : std::string{};
}

}  // namespace

ExitRecord exit_record_of(const std::exception_ptr& thrown) {
  ExitRecord result{.kind = ExitKind::panicked, .category = FailureCategory::panic};
  try {
    std::rethrow_exception(thrown);
  } catch (const ChildFailure& failure) {
    result.kind = ExitKind::failed;
    result.category = failure.category();
    result.message = failure.what();
  } catch (const std::exception& other) {
    result.message = other.what();
  } catch (...) {
    result.message = "threw something that is not a std::exception";
  }
  return result;
}

caf::error reason_of(const std::exception_ptr& thrown) {
  const auto exit = exit_record_of(thrown);
  // Code 0 would mean no error: panics get 1, categories begin at 2.
  const auto code = exit.kind == ExitKind::panicked ? 1 : 2 + static_cast<int>(exit.category);
  return {static_cast<std::uint8_t>(code), reason_category, caf::make_message(exit.message)};
}

ExitRecord exit_record_of(const caf::error& reason, const caf::actor_system& system) {
  if (!reason) return {.kind = ExitKind::completed};
  if (reason.category() == reason_category) {
    const auto text = first_text(reason.context());
    if (reason.code() == 1) {
      return {.kind = ExitKind::panicked, .category = FailureCategory::panic, .message = text};
    }
    return {.kind = ExitKind::failed,
            .category = static_cast<FailureCategory>(reason.code() - 2),
            .message = text};
  }
  if (reason.category() == caf::atom("exit")) {
    return exit_record_of(static_cast<caf::exit_reason>(reason.code()));
  }
  return {.kind = ExitKind::failed,
          .category = FailureCategory::recoverable,
          .message = system.render(reason)};
}

std::unique_ptr<Child> start_actor_child(ChildStart start) {
  const auto* make = static_cast<const ActorFunction*>(
      start.services->factories.find(ChildKind::actor, start.spec->factory));
  if (!make) throw std::runtime_error("no actor factory named '" + start.spec->factory + "'");
  auto attempt = std::make_shared<Attempt>(std::move(start.id), std::move(start.spec));
  caf::actor handle = start.supervisor->spawn<UserActor>(std::move(start.services), make, attempt);
  // At high priority an exit is not kept waiting by the reports of thousands of siblings.
  start.supervisor->monitor<caf::message_priority::high>(handle);
  return std::make_unique<ActorChild>(start.supervisor, std::move(handle), std::move(attempt));
}

}  // namespace espalier::supervisor
