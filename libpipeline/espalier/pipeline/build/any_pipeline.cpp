#include "espalier/pipeline/build/any_pipeline.hpp"

#include "espalier/pipeline/build/describe.hpp"
#include "espalier/pipeline/build/futures.hpp"
#include "espalier/pipeline/build/internal/pipeline_state.hpp"
#include "espalier/pipeline/build/source.hpp"

#include <stdexcept>
#include <utility>

namespace espalier::pipeline {
namespace {

std::string stage_list(const Plan& plan) {
  std::string list;
  for (const NodePlan& node : plan.nodes)
    list += (list.empty() ? "" : ", ") + node.name;
  return list;
}

std::invalid_argument no_stage(const std::string& stage, const Plan& plan) {
  return std::invalid_argument("stage '" + stage + "' not found in pipeline '" + plan.options.name +
                               "'; its stages are: " + stage_list(plan));
}

/// Notes what the source throws, which ends it.
Source noting(Source source, std::shared_ptr<std::exception_ptr> error) {
  return [source = std::move(source), error = std::move(error)](Chunk& chunk, std::size_t most) {
    try {
      return source(chunk, most);
    } catch (...) {
      *error = std::current_exception();
      return false;
    }
  };
}

}  // namespace

AnyPipeline::AnyPipeline(Plan plan, RunnerOptions options,
                         std::vector<detail::CallbackErrors> errors)
    : state_(std::make_shared<State>()) {
  state_->plan = std::move(plan);
  state_->options = std::move(options);
  state_->errors = std::move(errors);
}

const std::string& AnyPipeline::name() const {
  return state_->plan.options.name;
}
const Plan& AnyPipeline::plan() const {
  return state_->plan;
}
std::string AnyPipeline::dot() const {
  return to_dot(state_->plan);
}

void AnyPipeline::start() {
  const auto runner = state_->begin(detail::no_bound, state_->plan.options.output_order);
  {
    const std::lock_guard lock(state_->results_mutex);
    state_->results.clear();
  }
  runner->start();
}

bool AnyPipeline::running() const {
  const std::lock_guard lock(state_->mutex);
  return state_->busy;
}

bool AnyPipeline::drain(std::optional<Duration> timeout) {
  if (!running()) return true;
  const auto runner = state_->current();
  const auto deadline = detail::deadline_after(timeout);
  if (!runner->drain(deadline)) return false;
  state_->take_what_is_there(*runner);
  if (!runner->stop(deadline)) return false;
  state_->end();
  return true;
}

void AnyPipeline::cancel(const std::string& reason) {
  state_->current()->cancel(reason);
}
void AnyPipeline::abort(const std::string& reason) {
  state_->current()->abort(reason);
}

void AnyPipeline::resize(const std::string& stage, std::uint32_t workers) {
  if (workers == 0)
    throw std::invalid_argument("stage '" + stage +
                                "' cannot have 0 workers: its items would wait for ever");
  const auto runner = state_->current();
  if (!runner->find(stage)) throw no_stage(stage, plan());
  runner->resize(stage, workers);
  const std::lock_guard lock(state_->mutex);
  for (NodePlan& node : state_->plan.nodes)
    if (node.name == stage) node.options.workers = workers;
}

Counts AnyPipeline::counts() const {
  return state_->current()->counts();
}
PipelineSnapshot AnyPipeline::snapshot() const {
  return state_->current()->snapshot();
}

std::vector<std::string> AnyPipeline::worker_names() const {
  std::vector<std::string> names;
  for (const auto& worker : snapshot().workers)
    names.push_back(worker.name);
  return names;
}

void AnyPipeline::track(std::shared_ptr<TrackSink> sink) {
  const std::lock_guard lock(state_->mutex);
  state_->sinks.push_back(sink);
  if (state_->runner) state_->runner->track(std::move(sink));
}

std::uint64_t AnyPipeline::callback_errors() const {
  std::uint64_t sum = 0;
  for (const auto& errors : state_->errors)
    sum += errors->load(std::memory_order_relaxed);
  return sum;
}

std::shared_ptr<Runner> AnyPipeline::runner() const {
  return state_->current();
}

void AnyPipeline::run_source(Source source, const Taken& taken) {
  const auto runner = state_->begin(detail::no_bound, Order::completion);
  auto error = std::make_shared<std::exception_ptr>();
  // However this ends, the pipeline is idle afterwards.
  const std::shared_ptr<void> at_end(nullptr, [&](void*) {
    if (runner->counts().in_flight() > 0) runner->abort("run was left by an exception");
    runner->stop();
    state_->end();
  });
  runner->start(Runner::Caller::helps);
  runner->feed_from(0, noting(std::move(source), error));
  runner->close_input_after_sources();
  while (true) {
    auto chunk = runner->help_and_take();
    if (!chunk) break;
    taken(*chunk);
    runner->recycle(std::move(chunk));
  }
  if (*error) std::rethrow_exception(*error);
}

std::shared_ptr<AnyPipeline::Session> AnyPipeline::open_session(Source source,
                                                                std::optional<Order> order) {
  const auto& options = state_->plan.options;
  const auto runner = state_->begin(options.output_capacity, order.value_or(options.output_order));
  auto error = std::make_shared<std::exception_ptr>();
  auto session = std::make_shared<Session>(state_, runner, error);
  runner->start(Runner::Caller::helps_with_quick);
  runner->feed_from(0, noting(std::move(source), error));
  runner->close_input_after_sources();
  return session;
}

AnyPipeline::Session::~Session() {
  if (!over_) {
    runner_->cancel("the stream was left");
    while (runner_->take()) {
    }
    runner_->stop();
  }
  state_->end();
}

ChunkPtr AnyPipeline::Session::next() {
  if (over_) return nullptr;
  if (auto chunk = runner_->help_and_take()) return chunk;
  over_ = true;
  runner_->stop();
  if (*error_) std::rethrow_exception(std::exchange(*error_, nullptr));
  return nullptr;
}

Runner::FeedResult AnyPipeline::feed_items(NodeId node, std::vector<Item> items,
                                           std::optional<Duration> timeout) {
  if (!running())
    throw std::logic_error("pipeline '" + name() + "' is not started; call start() before feeding");
  return state_->current()->feed(node, std::move(items), detail::deadline_after(timeout));
}

void AnyPipeline::feed_source(NodeId node, Source source) {
  if (!running())
    throw std::logic_error("pipeline '" + name() + "' is not started; call start() before feeding");
  state_->current()->feed_from(node, std::move(source));
}

NodeId AnyPipeline::stage_for(const std::string& stage, const std::type_info& type) const {
  const auto node = state_->current()->find(stage);
  if (!node) throw no_stage(stage, plan());
  const NodePlan& found = plan().nodes[*node];
  if (found.input != type)
    throw std::invalid_argument("stage '" + stage + "' takes " + found.input_name + ", not " +
                                type_name(type));
  return *node;
}

std::vector<Item> AnyPipeline::take_results() {
  state_->take_what_is_there(*state_->current());
  const std::lock_guard lock(state_->results_mutex);
  ++state_->results_taken;
  return std::exchange(state_->results, {});
}

}  // namespace espalier::pipeline
