#include "espalier/supervisor/core/internal/pool_impl.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace espalier::supervisor {

namespace {

constexpr Duration gate_interval = std::chrono::milliseconds{200};
constexpr Duration least_probe_interval = std::chrono::milliseconds{1};

const char* word_for(ProbeSpec::Kind kind) {
  static constexpr std::array words = {"exec", "tcp", "http", "function"};
  return words[static_cast<std::size_t>(kind)];
}

Duration interval_of(const ProbeSpec& probe) {
  return std::max(probe.interval, least_probe_interval);
}

}  // namespace

void PoolEngine::Impl::run_probe(ChildIndex i, input::ProbePurpose purpose) {
  details(i).probe = ++last_probe_;
  effect::RunProbe ask{i, purpose, last_probe_};
  if (purpose == input::ProbePurpose::gate) {
    ask.gates = spec_->gates;
  } else {
    ask.probe =
        purpose == input::ProbePurpose::health ? policy().health_check : policy().readiness_probe;
  }
  out_.emplace_back(std::move(ask));
}

void PoolEngine::Impl::on(const input::ProbeResult& in, TimePoint now) {
  if (in.child >= table_.size()) return;
  auto& slot = at(in.child);
  if (!slot.more || in.number == 0 || slot.more->probe != in.number) return;
  auto& more = *slot.more;
  more.probe = 0;
  if (in.purpose == input::ProbePurpose::health) {
    if (slot.phase == Phase::running) after_health_check(in.child, in, now);
  } else if (in.purpose == input::ProbePurpose::gate) {
    if (slot.phase != Phase::gated) return;
    if (in.ok) {
      start(in.child, now);
      return;
    }
    if (more.probe_failures++ == 0) emit_child(in.child, events::ChildBlocked{in.message});
    slot.until = now + gate_interval;
    arm(in.child);
  } else if (slot.phase == Phase::starting && policy().readiness_probe) {
    if (in.ok) {
      become_ready(in.child, now);
      return;
    }
    const auto& probe = *policy().readiness_probe;
    emit_child(in.child,
               events::ProbeFailed{word_for(probe.kind), in.message, ++more.probe_failures, 0});
    more.probe_at = now + interval_of(probe);
    arm(in.child);
  }
}

void PoolEngine::Impl::after_health_check(ChildIndex i, const input::ProbeResult& in,
                                          TimePoint now) {
  if (!policy().health_check) return;  // The policy has changed since.
  const auto& probe = *policy().health_check;
  auto& more = details(i);
  if (in.ok) {
    more.probe_failures = 0;
  } else {
    ++more.probe_failures;
    emit_child(i, events::ProbeFailed{word_for(probe.kind), in.message, more.probe_failures,
                                      probe.retries});
    if (more.probe_failures >= std::max(probe.retries, 1u)) {
      become_unhealthy(i, word_for(probe.kind), in.message, now);
      return;
    }
  }
  more.probe_at = now + interval_of(probe);
  arm(i);
}

void PoolEngine::Impl::become_unhealthy(ChildIndex i, const std::string& probe,
                                        const std::string& message, TimePoint now) {
  auto& slot = table_[i];
  slot.cause = {};
  slot.cause.caused_by = emit_child(i, events::ChildUnhealthy{probe, message});
  slot.cause.correlation = slot.cause.caused_by;
  force_end(i, ExitKind::unhealthy, message, now);
}

void PoolEngine::Impl::end_probes(ChildIndex i) {
  auto& slot = table_[i];
  if (!slot.more) return;
  slot.more->alive_until = never;
  slot.more->probe_at = never;
  if (std::exchange(slot.more->probe, 0) == 0) return;
  auto purpose = input::ProbePurpose::health;
  if (slot.phase == Phase::gated) purpose = input::ProbePurpose::gate;
  if (!slot.was_ready && slot.phase != Phase::gated) purpose = input::ProbePurpose::readiness;
  out_.emplace_back(effect::CancelProbe{i, purpose});
}

}  // namespace espalier::supervisor
