#include "espalier/supervisor/io/probe_runner.hpp"

#include "espalier/supervisor/core/decision.hpp"
#include "espalier/supervisor/io/internal/gates.hpp"
#include "espalier/supervisor/io/internal/helper_threads.hpp"
#include "espalier/supervisor/io/internal/net_probe.hpp"
#include "espalier/supervisor/io/io_pool.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <exception>
#include <future>
#include <optional>
#include <unordered_map>
#include <utility>

namespace espalier::supervisor {

namespace asio = boost::asio;
using internal::ProbeAnswer;

namespace {

/// What a call on another thread brings back; run on the runner's thread, or never.
using Reply = std::function<void(ProbeAnswer)>;

class ExecListener final : public ProcessListener {
 public:
  explicit ExecListener(Reply reply) : reply_(std::move(reply)) {}

  void on_running(std::int64_t) override {}
  void on_ready() override {}
  void on_alive() override {}
  void on_extend(Duration) override {}
  void on_status(const std::string&) override {}
  void on_output(bool, std::string line, bool) override {
    if (!line.empty()) last_line_ = std::move(line);
  }
  void on_exit(const ExitRecord& exit) override {
    auto text = exit.is_failure() ? describe(exit) : "exit code 0";
    if (!last_line_.empty()) text += ": " + last_line_.substr(0, 300);
    reply_({!exit.is_failure(), std::move(text)});
  }

 private:
  Reply reply_;
  std::string last_line_;
};

ProbeAnswer call(const ProbeFunction& function, const std::string& path) {
  try {
    const bool ok = function(path);
    return {ok, ok ? "well" : "returned false"};
  } catch (const std::exception& error) {
    return {false, error.what()};
  } catch (...) {
    return {false, "threw something that is not a std::exception"};
  }
}

}  // namespace

// All but `post`, `end` and the constructor runs on the one thread of the pool, which is gone
// before this is.
class ProbeRunner::Impl {
 public:
  Impl(std::function<ProcessHost&()> host, const ChildFactories& factories)
      : host_(std::move(host)), factories_(factories) {}

  template <class Work>
  void post(Work work) {
    asio::post(*context_, std::move(work));
  }
  void begin(ProbeToken token, ProbeRequest request);
  void drop(ProbeToken token);
  std::vector<std::string> end();

  std::atomic<ProbeToken> last_token = 0;

 private:
  struct Probe {
    explicit Probe(asio::io_context& context) : deadline(context) {}
    ProbeRequest request = {};
    asio::steady_timer deadline;
    asio::cancellation_signal cancel;
    std::optional<ProcessToken> process;
    std::shared_ptr<std::atomic<bool>> waits_for_thread;  // Null: not a function.
  };

  void begin_kind(ProbeToken token, const std::shared_ptr<Probe>& probe);
  void begin_exec(ProbeToken token, Probe& probe);
  void begin_net(ProbeToken token, const std::shared_ptr<Probe>& probe);
  void begin_function(ProbeToken token, Probe& probe);
  void answer(ProbeToken token, const ProbeAnswer& what);
  void time_out(ProbeToken token);
  void stop_work(Probe& probe);
  [[nodiscard]] Reply reply_for(ProbeToken token);

  std::function<ProcessHost&()> host_;
  const ChildFactories& factories_;
  std::unordered_map<ProbeToken, std::shared_ptr<Probe>> probes_;
  std::shared_ptr<internal::HelperThreads> helpers_ =
      std::make_shared<internal::HelperThreads>(max_function_threads);
  bool ended_ = false;
  IoPool pool_{1, "espalier-probe"};
  std::shared_ptr<asio::io_context> context_ = pool_.context();
};

void ProbeRunner::Impl::begin(ProbeToken token, ProbeRequest request) {
  if (!request.spec) {
    const auto problem = internal::gate_problem(request.gates);
    return request.done(problem.empty(), problem.empty() ? "free" : problem);
  }
  const auto probe = std::make_shared<Probe>(*context_);
  probe->request = std::move(request);
  probes_.emplace(token, probe);
  probe->deadline.expires_after(probe->request.spec->timeout);
  probe->deadline.async_wait([this, token](const boost::system::error_code& error) {
    if (!error) time_out(token);
  });
  try {
    begin_kind(token, probe);
  } catch (const std::exception& error) {  // No thread or descriptor to be had.
    answer(token, {false, error.what()});
  }
}

void ProbeRunner::Impl::begin_kind(ProbeToken token, const std::shared_ptr<Probe>& probe) {
  switch (probe->request.spec->kind) {
    case ProbeSpec::Kind::exec:
      return begin_exec(token, *probe);
    case ProbeSpec::Kind::tcp:
    case ProbeSpec::Kind::http:
      return begin_net(token, probe);
    case ProbeSpec::Kind::function:
      return begin_function(token, *probe);
  }
}

Reply ProbeRunner::Impl::reply_for(ProbeToken token) {
  return [this, token, context = context_](ProbeAnswer what) {
    asio::post(*context, [this, token, what = std::move(what)] { answer(token, what); });
  };
}

void ProbeRunner::Impl::begin_exec(ProbeToken token, Probe& probe) {
  LaunchRequest request{.path = probe.request.path};
  request.spec =
      std::make_shared<const ProcessSpec>(ProcessSpec{.command = probe.request.spec->command});
  request.listener = std::make_shared<ExecListener>(reply_for(token));
  probe.process = host_().launch(std::move(request));
}

void ProbeRunner::Impl::begin_net(ProbeToken token, const std::shared_ptr<Probe>& probe) {
  asio::co_spawn(*context_, internal::run_net_probe(probe->request.spec),
                 asio::bind_cancellation_slot(
                     probe->cancel.slot(),
                     // The coroutine uses the signal to its last step, so it stays until then.
                     [this, token, probe](const std::exception_ptr&, const ProbeAnswer& what) {
                       answer(token, what);
                     }));
}

void ProbeRunner::Impl::begin_function(ProbeToken token, Probe& probe) {
  const auto* function = factories_.find_probe(probe.request.spec->function);
  if (!function) return answer(token, {false, "no probe of that name is registered"});
  probe.waits_for_thread = std::make_shared<std::atomic<bool>>(true);
  internal::HelperThreads::run(helpers_, probe.request.path,
                               [run = *function, path = probe.request.path,
                                reply = reply_for(token), waits = probe.waits_for_thread] {
                                 *waits = false;
                                 reply(call(run, path));
                               });
}

void ProbeRunner::Impl::answer(ProbeToken token, const ProbeAnswer& what) {
  const auto found = probes_.find(token);
  if (found == probes_.end()) return;  // Cancelled, or too late.
  const auto probe = found->second;
  probes_.erase(found);
  probe->deadline.cancel();
  probe->request.done(what.ok, internal::subject_of(*probe->request.spec) + ": " + what.message);
}

void ProbeRunner::Impl::time_out(ProbeToken token) {
  const auto found = probes_.find(token);
  if (found == probes_.end()) return;
  const auto probe = found->second;
  stop_work(*probe);
  auto text = "no answer within " + human(probe->request.spec->timeout);
  if (probe->waits_for_thread && *probe->waits_for_thread) {
    text += "; it never ran, because all " + std::to_string(max_function_threads) +
            " threads for probe functions are taken by some that do not return";
  }
  answer(token, {false, std::move(text)});
}

void ProbeRunner::Impl::stop_work(Probe& probe) {
  probe.cancel.emit(asio::cancellation_type::terminal);
  if (probe.process) host_().abort(*probe.process);
}

void ProbeRunner::Impl::drop(ProbeToken token) {
  const auto found = probes_.find(token);
  if (found == probes_.end()) return;
  const auto probe = found->second;
  probes_.erase(found);
  probe->deadline.cancel();
  stop_work(*probe);
}

std::vector<std::string> ProbeRunner::Impl::end() {
  if (std::exchange(ended_, true)) return {};
  std::promise<void> all_dropped;
  post([&] {
    while (!probes_.empty())
      drop(probes_.begin()->first);
    all_dropped.set_value();
  });
  all_dropped.get_future().wait();
  auto hanging = helpers_->end(std::chrono::milliseconds{500});
  pool_.end(std::chrono::hours{1});  // Its thread never blocks: at once.
  return hanging;
}

ProbeRunner::ProbeRunner(std::function<ProcessHost&()> host, const ChildFactories& factories)
    : impl_(std::make_unique<Impl>(std::move(host), factories)) {}

ProbeRunner::~ProbeRunner() {
  end();
}

ProbeToken ProbeRunner::start(ProbeRequest request) {
  const auto token = ++impl_->last_token;
  impl_->post([impl = impl_.get(), token, what = std::move(request)]() mutable {
    impl->begin(token, std::move(what));
  });
  return token;
}

void ProbeRunner::cancel(ProbeToken token) {
  impl_->post([impl = impl_.get(), token] { impl->drop(token); });
}

std::vector<std::string> ProbeRunner::end() {
  return impl_->end();
}

}  // namespace espalier::supervisor
