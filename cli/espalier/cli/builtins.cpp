#include "espalier/cli/builtins.hpp"

#include "espalier/async.hpp"
#include "espalier/cli/crash.hpp"
#include "espalier/cli/params.hpp"
#include "espalier/cli/pipeline/pipeline_builtin.hpp"
#include "espalier/supervisor/actor/actor_factory.hpp"
#include "espalier/supervisor/core/child_context.hpp"

#include <caf/all.hpp>

#include <chrono>
#include <cmath>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using namespace std::chrono_literals;

void wait_for_stop(sv::ChildContext& context) {
  while (context.sleep_for(1h)) {
  }
}

void run_idle(sv::ChildContext& context) {
  const Params params("builtin.idle", context.params(), {});
  context.report_ready();
  wait_for_stop(context);
}

struct TickerPlan {
  sv::Duration interval = {};
  std::string text = {};
};

TickerPlan ticker_plan(const sv::ChildContext& context) {
  const Params params("builtin.ticker", context.params(), {"interval", "text"});
  const sv::Duration interval = params.duration("interval", 1s);
  if (interval < 1ms) {
    throw sv::ChildFailure(sv::FailureCategory::fatal_config,
                           "builtin.ticker: parameter 'interval' must be at least 1ms");
  }
  return {interval, params.text("text", "tick")};
}

void run_ticker(sv::ChildContext& context) {
  const TickerPlan plan = ticker_plan(context);
  context.report_ready();
  for (std::uint64_t n = 1; context.sleep_for(plan.interval); ++n) {
    context.report_alive();
    context.report_status(plan.text + " " + std::to_string(n));
  }
}

struct FlakyPlan {
  sv::Duration life = {};
  sv::FailureCategory category = sv::FailureCategory::recoverable;
  std::string message = {};
  std::string status = {};
};

/// The same seed gives the same lives in the same order, whatever else the tree does.
FlakyPlan flaky_plan(const sv::ChildContext& context) {
  const Params params("builtin.flaky", context.params(),
                      {"seed", "mean", "after", "category", "message", "status"});
  if (params.has("mean") && params.has("after")) {
    throw sv::ChildFailure(sv::FailureCategory::fatal_config,
                           "builtin.flaky: give 'mean' (random) or 'after' (fixed), not both");
  }
  FlakyPlan plan;
  plan.category = params.category("category", sv::FailureCategory::recoverable);
  plan.message = params.text("message", "failed as its schedule says");
  plan.status = params.text("status", "");
  plan.life = params.duration("after", 0s);
  const sv::Duration mean = params.duration("mean", 10s);
  const std::uint64_t seed = params.number("seed", 1);
  if (!params.has("after")) {
    std::mt19937_64 random(seed * 0x9E3779B97F4A7C15U + context.generation());
    // Between 0 and 1; written out because distributions differ between standard libraries.
    const double unit = static_cast<double>(random() >> 11U) * 0x1.0p-53;
    plan.life = std::chrono::duration_cast<sv::Duration>(mean * -std::log1p(-unit));
  }
  return plan;
}

[[noreturn]] void fail(const FlakyPlan& plan) {
  if (plan.category == sv::FailureCategory::panic) throw std::runtime_error(plan.message);
  throw sv::ChildFailure(plan.category, plan.message);
}

void run_flaky(sv::ChildContext& context) {
  const FlakyPlan plan = flaky_plan(context);
  context.report_ready();
  if (!plan.status.empty()) context.report_status(plan.status);
  if (context.sleep_for(plan.life)) fail(plan);
}

void run_stubborn(sv::ChildContext& context) {
  const Params params("builtin.stubborn", context.params(), {"for"});
  const bool forever = params.text("for", "forever") == "forever";
  const sv::Duration deaf = forever ? sv::Duration::zero() : params.duration("for", 0s);
  context.report_ready();
  wait_for_stop(context);
  while (forever)
    std::this_thread::sleep_for(1h);
  std::this_thread::sleep_for(deaf);
}

void run_slow_start(sv::ChildContext& context) {
  const Params params("builtin.slow_start", context.params(), {"delay"});
  const sv::Duration delay = params.duration("delay", 2s);
  context.report_status("warming up");
  if (!context.sleep_for(delay)) return;
  context.report_ready();
  context.report_status("warm");
  wait_for_stop(context);
}

boost::asio::awaitable<void> idle_async(sv::AsyncContext& context) {
  const Params params("builtin.async.idle", context.params(), {});
  context.report_ready();
  for (;;)
    co_await context.sleep(1h);
}

boost::asio::awaitable<void> tick_async(sv::AsyncContext& context) {
  const TickerPlan plan = ticker_plan(context);
  context.report_ready();
  for (std::uint64_t n = 1;; ++n) {
    co_await context.sleep(plan.interval);
    context.report_alive();
    context.report_status(plan.text + " " + std::to_string(n));
  }
}

using Context = std::shared_ptr<sv::ChildContext>;

caf::behavior make_idle(caf::event_based_actor*, Context context) {
  const Params params("builtin.actor.idle", context->params(), {});
  context->report_ready();
  return {[context](caf::tick_atom) {}};
}

caf::behavior make_ticker(caf::event_based_actor* self, Context context) {
  const TickerPlan plan = ticker_plan(*context);
  context->report_ready();
  self->delayed_send(self, plan.interval, caf::tick_atom_v);
  return {[self, context, plan, n = std::uint64_t{0}](caf::tick_atom) mutable {
    self->delayed_send(self, plan.interval, caf::tick_atom_v);
    context->report_alive();
    context->report_status(plan.text + " " + std::to_string(++n));
  }};
}

caf::behavior make_flaky(caf::event_based_actor* self, Context context) {
  const FlakyPlan plan = flaky_plan(*context);
  context->report_ready();
  if (!plan.status.empty()) context->report_status(plan.status);
  self->delayed_send(self, plan.life, caf::tick_atom_v);
  return {[plan](caf::tick_atom) { fail(plan); }};
}

}  // namespace

sv::ChildFactories builtin_factories(std::shared_ptr<pipeline::PipelineBoard> board,
                                     const std::string& folder) {
  sv::ChildFactories factories;
  factories.add_blocking("builtin.idle", run_idle)
      .add_blocking("builtin.ticker", run_ticker)
      .add_blocking("builtin.flaky", run_flaky)
      .add_blocking("builtin.stubborn", run_stubborn)
      .add_blocking("builtin.slow_start", run_slow_start)
      .add_blocking("builtin.crash", run_crash)
      .add_pipeline("builtin.pipeline", pipeline_builtin(std::move(board), folder));
  add_async(factories, "builtin.async.idle", idle_async);
  add_async(factories, "builtin.async.ticker", tick_async);
  add_actor(factories, "builtin.actor.idle", make_idle);
  add_actor(factories, "builtin.actor.ticker", make_ticker);
  add_actor(factories, "builtin.actor.flaky", make_flaky);
  return factories;
}

}  // namespace espalier::cli
