#include "espalier/supervisor/actor/actor_child.hpp"
#include "espalier/supervisor/actor/child.hpp"
#include "espalier/supervisor/io/async_function.hpp"
#include "espalier/supervisor/io/io_pool.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <stdexcept>

namespace espalier::supervisor {

namespace {

namespace asio = boost::asio;

constexpr auto graceful = asio::cancellation_type::total | asio::cancellation_type::partial;
constexpr auto forcible = asio::cancellation_type::terminal;

// One attempt, shared by its coroutine and by who supervises it. Where the coroutine never ends it
// goes with the coroutine's frame, at the end of the pool.
class Run : public std::enable_shared_from_this<Run> {
 public:
  Run(const IoPool& pool, AsyncFunction function, std::shared_ptr<Attempt> attempt,
      std::shared_ptr<Census> census)
      : pool_(pool.context()),
        strand_(asio::make_strand(*pool_)),
        again_(strand_),
        function_(std::move(function)),
        attempt_(std::move(attempt)),
        context_(attempt_, strand_),
        census_(std::move(census)),
        id_(census_->run_began(Census::Runner::coroutine, attempt_->path())) {}
  ~Run() { census_->run_ended(id_); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void begin() {
    asio::co_spawn(strand_, live(shared_from_this()),
                   asio::bind_cancellation_slot(
                       signal_.slot(),
                       // The coroutine uses the signal to its last step, so it goes after that.
                       [self = shared_from_this()](const std::exception_ptr&) {}));
  }

  void cancel(asio::cancellation_type how) {
    attempt_->request_stop();
    asio::post(strand_, [self = shared_from_this(), how] {
      self->how_ = how;
      self->pause_ = std::chrono::milliseconds{1};
      self->insist();
    });
  }

  void abandon() { census_->run_abandoned(id_); }

 private:
  static asio::awaitable<void> live(std::shared_ptr<Run> run) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    // A coroutine that swallows its cancellation would otherwise never suspend again, and keep a
    // thread of the pool.
    co_await asio::this_coro::throw_if_cancelled(false);
    std::exception_ptr thrown;
    try {
      co_await run->function_(run->context_);
    } catch (...) {
      thrown = std::current_exception();
    }
    run->end(thrown);
  }

  // A signal reaches only what is awaited when it is given: one that comes between two waits, or
  // before the first, is lost. So it is given until the coroutine has ended.
  void insist() {
    if (ended_) return;
    signal_.emit(how_);
    if (ended_) return;
    again_.expires_after(pause_);
    pause_ = std::min(2 * pause_, std::chrono::milliseconds{128});
    again_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->insist();
    });
  }

  void end(const std::exception_ptr& thrown) {
    ended_ = true;
    again_.cancel();
    ExitRecord exit{.kind = ExitKind::completed};
    if (thrown && !is_clean_stop(thrown)) exit = exit_record_of(thrown);
    // Once the exit is known the function's captures are gone and it is not counted any more.
    function_ = nullptr;
    census_->run_ended(id_);
    attempt_->report_exit(exit);
  }

  [[nodiscard]] bool is_clean_stop(const std::exception_ptr& thrown) const {
    try {
      std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
      return attempt_->stop_requested() && error.code() == asio::error::operation_aborted;
    } catch (...) {
      return false;
    }
  }

  std::shared_ptr<asio::io_context> pool_;  // First: the strand and the timer need its memory.
  asio::strand<asio::io_context::executor_type> strand_;
  asio::cancellation_signal signal_;
  asio::steady_timer again_;
  std::chrono::milliseconds pause_{1};
  asio::cancellation_type how_ = graceful;
  bool ended_ = false;
  AsyncFunction function_;
  std::shared_ptr<Attempt> attempt_;
  AsyncContext context_;
  std::shared_ptr<Census> census_;
  Census::RunId id_;
};

class AsyncChild final : public Child {
 public:
  explicit AsyncChild(std::shared_ptr<Run> run) : run_(std::move(run)) {}

  void stop(const effect::StopChild&) override { run_->cancel(graceful); }
  void abort(const effect::AbortChild&) override { run_->cancel(forcible); }
  void abandon() override { run_->abandon(); }
  void supervisor_lost() noexcept override { run_->cancel(forcible); }

 private:
  std::shared_ptr<Run> run_;
};

}  // namespace

std::unique_ptr<Child> start_async_child(ChildStart start) {
  const auto* function = static_cast<const AsyncFunction*>(
      start.services->factories.find(ChildKind::async, start.spec->factory));
  if (!function) throw std::runtime_error("no async factory named '" + start.spec->factory + "'");
  const auto services = start.services;
  auto attempt = std::make_shared<Attempt>(std::move(start.id), std::move(start.spec));
  const auto run =
      std::make_shared<Run>(services->io(), *function, std::move(attempt), services->census);
  run->begin();
  return std::make_unique<AsyncChild>(run);
}

}  // namespace espalier::supervisor
