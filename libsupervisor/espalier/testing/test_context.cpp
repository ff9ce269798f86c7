#include "espalier/testing/test_context.hpp"

#include "espalier/supervisor/core/decision.hpp"

#include <stdexcept>

namespace espalier::testing {

namespace {

using supervisor::ExitKind;
using supervisor::ExitRecord;
using supervisor::FailureCategory;

constexpr std::uint64_t most_calls_without_progress = 100'000;

ExitRecord exit_of_call(const supervisor::BlockingFunction& worker, TestContext& context) {
  try {
    worker(context);
    return {.kind =
                context.stop_token().stop_requested() ? ExitKind::stopped : ExitKind::completed};
  } catch (const supervisor::ChildFailure& failure) {
    return {.kind = ExitKind::failed, .category = failure.category(), .message = failure.what()};
  } catch (const std::exception& other) {
    return {
        .kind = ExitKind::panicked, .category = FailureCategory::panic, .message = other.what()};
  } catch (...) {
    return {.kind = ExitKind::panicked,
            .category = FailureCategory::panic,
            .message = "threw something that is not a std::exception"};
  }
}

}  // namespace

TestContext& TestContext::set_param(const std::string& name, const std::string& value) {
  params_[name] = value;
  return *this;
}

TestContext& TestContext::set_generation(std::uint64_t generation, std::uint64_t attempt) {
  generation_ = generation;
  attempt_ = attempt;
  return *this;
}

TestContext& TestContext::set_heartbeat_interval(Duration interval) {
  heartbeat_interval_ = interval;
  return *this;
}

TestContext& TestContext::stop_after(Duration delay) {
  stop_at_ = delay;
  return *this;
}

TestContext& TestContext::set_limit(Duration limit) {
  limit_ = limit;
  return *this;
}

ExitRecord TestContext::run(const supervisor::BlockingFunction& worker) {
  now_ = Duration::zero();
  stop_ = {};
  reports_.clear();
  calls_without_progress_ = 0;
  advance(Duration::zero());
  return exit_of_call(worker, *this);
}

void TestContext::advance(Duration by) {
  if (by > Duration::zero()) {
    now_ += by;
    calls_without_progress_ = 0;
  }
  if (stop_at_ && now_ >= *stop_at_) stop_.request_stop();
}

bool TestContext::stop_requested() const {
  count_call_without_progress();
  return stop_.stop_requested();
}

bool TestContext::sleep_for(Duration d) {
  count_call_without_progress();
  if (stop_.stop_requested()) return false;
  const bool stops_first = stop_at_ && *stop_at_ <= now_ + d;
  advance(stops_first ? *stop_at_ - now_ : d);
  if (now_ > limit_) {
    throw std::logic_error("the worker still sleeps after " + supervisor::human(limit_) +
                           " of virtual time; call stop_after, or set_limit for a longer run");
  }
  return !stop_.stop_requested();
}

void TestContext::count_call_without_progress() const {
  if (++calls_without_progress_ <= most_calls_without_progress) return;
  throw std::logic_error(
      stop_.stop_requested()
          ? "the worker goes on although a stop is requested; leave when sleep_for returns false"
          : "the worker waits for its stop without sleeping, so that no virtual time passes; "
            "call sleep_for in its loop, or advance in a fake that it calls");
}

std::vector<Report> TestContext::reports(Report::Kind kind) const {
  std::vector<Report> result;
  for (const auto& x : reports_)
    if (x.kind == kind) result.push_back(x);
  return result;
}

std::optional<Duration> TestContext::ready_at() const {
  const auto ready = reports(Report::Kind::ready);
  if (ready.empty()) return std::nullopt;
  return ready.front().at;
}

}  // namespace espalier::testing
