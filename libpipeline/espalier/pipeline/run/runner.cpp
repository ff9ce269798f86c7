#include "espalier/pipeline/run/runner.hpp"

#include "espalier/pipeline/run/internal/crew.hpp"
#include "espalier/pipeline/run/internal/inside.hpp"

#include <utility>

namespace espalier::pipeline {

class Runner::Impl : public internal::Crew {
 public:
  using Crew::Crew;
};

Runner::Runner(Plan plan, RunnerOptions options)
    : impl_(std::make_unique<Impl>(std::move(plan), std::move(options))) {}

Runner::~Runner() = default;

bool Runner::start(Caller caller) {
  return impl_->start(caller);
}
bool Runner::running() const {
  return impl_->running();
}

Runner::FeedResult Runner::feed(NodeId node, std::vector<Item> items,
                                std::optional<TimePoint> deadline) {
  return impl_->feed(node, std::move(items), deadline);
}
void Runner::feed_from(NodeId node, Source source) {
  impl_->feed_from(node, std::move(source));
}
void Runner::wait_for_sources() {
  impl_->wait_for_sources();
}
std::exception_ptr Runner::input_error() const {
  return impl_->input_error();
}
void Runner::close_input() {
  impl_->close_input();
}
void Runner::close_input_after_sources() {
  impl_->close_input_after_sources();
}

ChunkPtr Runner::take(std::optional<TimePoint> deadline) {
  return impl_->take(deadline);
}
ChunkPtr Runner::try_take() {
  return impl_->try_take();
}
void Runner::recycle(ChunkPtr chunk) {
  impl_->recycle(std::move(chunk));
}
ChunkPtr Runner::help_and_take() {
  return impl_->help_and_take();
}

bool Runner::drain(std::optional<TimePoint> deadline) {
  return impl_->drain(deadline);
}
bool Runner::wait_idle(std::optional<TimePoint> deadline) {
  return impl_->wait_idle(deadline);
}
void Runner::cancel(const std::string& reason) {
  impl_->cancel(reason);
}
void Runner::abort(const std::string& reason) {
  impl_->abort(reason);
}
bool Runner::stop(std::optional<TimePoint> deadline) {
  return impl_->stop(deadline);
}

bool Runner::resize(const std::string& stage, std::uint32_t workers) {
  return impl_->resize(stage, workers);
}
Counts Runner::counts() const {
  return impl_->counts();
}
PipelineSnapshot Runner::snapshot() const {
  return impl_->snapshot();
}
const Plan& Runner::plan() const {
  return impl_->plan();
}
std::optional<NodeId> Runner::find(const std::string& stage) const {
  return impl_->find(stage);
}
void Runner::track(std::shared_ptr<TrackSink> sink) {
  impl_->track(std::move(sink));
}
void Runner::keep_safe_with(std::shared_ptr<ProgressSink> sink) {
  impl_->keep_safe_with(std::move(sink));
}
std::size_t Runner::threads() const {
  return impl_->threads();
}

bool set_task_status(std::string text, Duration min_interval) {
  auto* context = internal::Inside::context();
  return context && context->set_status_at_most(std::move(text), min_interval);
}

}  // namespace espalier::pipeline
