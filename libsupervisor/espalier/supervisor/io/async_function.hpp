#pragma once

// Ours come first: Asio of Boost 1.81 with g++ 12 needs the <utility> that they bring.
#include "espalier/supervisor/core/child_context.hpp"
#include "espalier/supervisor/core/child_factories.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

namespace espalier::supervisor {

/// What a coroutine sees of its supervision: all that a function on a thread sees, and ways to wait
/// that cost no thread.
///
/// Valid until the coroutine's frame is gone. Members of ChildContext may be called from any
/// thread; `sleep` from the coroutine.
class AsyncContext final : public ChildContext {
 public:
  AsyncContext(std::shared_ptr<ChildContext> child, boost::asio::any_io_executor executor)
      : child_(std::move(child)), executor_(std::move(executor)) {}

  /// Waits without a thread. A stop request ends it early, as it ends every other Asio operation
  /// of this coroutine: with boost::system::system_error(boost::asio::error::operation_aborted).
  [[nodiscard]] boost::asio::awaitable<void> sleep(Duration d) const;
  /// A strand of the pool: what runs on it never runs beside this coroutine. Timers and sockets
  /// made with it must not outlive the tree.
  [[nodiscard]] boost::asio::any_io_executor executor() const { return executor_; }

  /// Keeps a thread of the pool from everybody else; `sleep` does not.
  bool sleep_for(Duration d) override { return child_->sleep_for(d); }

  [[nodiscard]] const std::string& path() const override { return child_->path(); }
  [[nodiscard]] std::uint64_t generation() const override { return child_->generation(); }
  [[nodiscard]] std::uint64_t attempt() const override { return child_->attempt(); }
  [[nodiscard]] const std::map<std::string, std::string>& params() const override {
    return child_->params();
  }
  [[nodiscard]] bool stop_requested() const override { return child_->stop_requested(); }
  [[nodiscard]] std::stop_token stop_token() const override { return child_->stop_token(); }
  [[nodiscard]] Duration heartbeat_interval() const override {
    return child_->heartbeat_interval();
  }
  void report_ready() override { child_->report_ready(); }
  void report_alive() override { child_->report_alive(); }
  void report_status(const std::string& text) override { child_->report_status(text); }
  void request_restart(const std::string& reason) override { child_->request_restart(reason); }
  void request_tree_shutdown(const std::string& reason) override {
    child_->request_tree_shutdown(reason);
  }

 private:
  std::shared_ptr<ChildContext> child_;
  boost::asio::any_io_executor executor_;
};

/// A coroutine that is a child: runs on the tree's I/O pool until it returns (completed) or throws
/// (ChildFailure: failed with that category; anything else: panicked). Called anew for each
/// attempt.
///
/// A stop request sets the stop token and cancels (`total` and `partial`) the operation that is
/// awaited, again and again until the coroutine ends; operation_aborted that leaves it then is a
/// clean stop. One that has to wait for something on its way out says so first:
///     co_await boost::asio::this_coro::reset_cancellation_state(
///         boost::asio::enable_terminal_cancellation());
/// After that only an abort (`terminal`) interrupts it. One that ignores even that is given up and
/// named as an orphan in the report of the shutdown; its frame is destroyed with the pool, at the
/// end of the tree.
///
/// Hazard: the pool has two threads. A coroutine that blocks keeps one of them, and cannot be
/// aborted; what blocks belongs into a `blocking` child.
using AsyncFunction = std::function<boost::asio::awaitable<void>(AsyncContext&)>;

/// Registers what children of kind `async` run; throws as ChildFactories::add does.
ChildFactories& add_async(ChildFactories& factories, const std::string& name, AsyncFunction run);

}  // namespace espalier::supervisor
