#include "espalier/metrics/tree_counters.hpp"

#include "espalier/metrics/internal/tree_figures.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>

namespace espalier::metrics {

namespace sv = espalier::supervisor;
using internal::Decision;
using internal::Fence;
using internal::Operation;

namespace {

double seconds(sv::Duration d) {
  return std::chrono::duration<double>(d).count();
}

std::optional<Decision> decision_of(sv::Verdict verdict) {
  switch (verdict) {
    case sv::Verdict::restart_now:
      return Decision::restart_now;
    case sv::Verdict::restart_after:
      return Decision::restart_after;
    case sv::Verdict::restart_queued:
      return Decision::restart_queued;
    default:
      return {};
  }
}

}  // namespace

class TreeCounters::Impl {
 public:
  explicit Impl(std::size_t max_children) : figures_(max_children) {}

  void publish(const sv::Event& event) {
    figures_.events[event.body.index()].add();
    std::visit([&](const auto& body) { on(event, body); }, event.body);
  }
  void probed(const sv::ProbeTiming& timing) {
    if (!timing.is_health_check) return;
    figures_.children.with(timing.path, [&](auto& figures, auto&) {
      figures.observe_health_latency(seconds(timing.took));
    });
  }
  void write(Writer& to) { figures_.write(to); }

 private:
  template <class Body>
  void on(const sv::Event&, const Body&) {}

  // --- attempts ---
  void on(const sv::Event& event, const sv::events::ChildStarting&) { set_active(event.path); }
  void on(const sv::Event& event, const sv::events::ChildResumed&) { set_active(event.path); }
  void on(const sv::Event& event, const sv::events::ChildReady&) {
    if (event.generation <= 1) return;
    figures_.children.with(event.path, [](auto& figures, auto& memory) {
      const auto why = memory.decision.value_or(Decision::command);
      memory.decision.reset();
      figures.restarts[static_cast<std::size_t>(why)].add();
    });
  }
  void on(const sv::Event& event, const sv::events::RestartDecided& e) {
    if (!e.decision) return;
    const auto why = decision_of(e.decision->verdict);
    figures_.children.with(event.path, [&](auto& figures, auto& memory) {
      memory.decision = why;
      if (why && why != Decision::restart_now) {
        figures.observe_backoff(*why, seconds(e.decision->delay));
      }
    });
  }
  void on(const sv::Event& event, const sv::events::ChildStopping& e) {
    if (e.cause == sv::StopCause::strategy) {
      figures_.children.with(event.path,
                             [](auto&, auto& memory) { memory.decision = Decision::scope; });
    } else if (e.cause == sv::StopCause::command) {
      figures_.children.with(event.path, [](auto& figures, auto& memory) {
        memory.fenced = true;
        memory.decision = Decision::command;
        count(figures, Fence::entered);
      });
    }
  }
  void on(const sv::Event& event, const sv::events::ChildExited& e) {
    figures_.children.with(event.path, [&](auto& figures, auto& memory) {
      figures.observe_uptime(seconds(e.uptime));
      if (memory.fenced) count(figures, Fence::released);
      memory.fenced = false;
    });
  }
  void on(const sv::Event& event, const sv::events::ChildAborted&) {
    figures_.shutdown.on_abort(event, false);
    figures_.children.with_remembered(event.path, [](auto& figures, auto& memory) {
      if (memory.fenced) count(figures, Fence::abort_requested);
    });
  }
  void on(const sv::Event& event, const sv::events::ChildAbortFailed&) {
    figures_.shutdown.on_abort(event, true);
  }
  void on(const sv::Event&, const sv::events::ChildUnhealthy& e) {
    if (e.probe == "watchdog") figures_.heartbeat_stale.add();
  }
  void on(const sv::Event&, const sv::events::StaleReport&) { figures_.stale_reports.add(); }
  void on(const sv::Event& event, const sv::events::FuseTripped& e) {
    if (e.scope == "supervisor") {
      figures_.meltdowns.add({event.path, "(all)", {}});
    } else {
      figures_.children.with(event.path, [](auto& figures, auto&) { figures.meltdowns.add(); });
    }
  }

  // --- what operators want ---
  void on(const sv::Event& event, const sv::events::ChildPaused&) {
    become(event.path, Operation::paused);
  }
  void on(const sv::Event& event, const sv::events::ChildQuarantined&) {
    become(event.path, Operation::quarantined);
  }
  void on(const sv::Event& event, const sv::events::ChildStopped&) {
    become(event.path, Operation::stopped);
  }
  void on(const sv::Event& event, const sv::events::ChildRemoved&) {
    become(event.path, Operation::removed);
    figures_.children.forget(event.path);
  }
  void on(const sv::Event& event, const sv::events::CommandDone& e) {
    const bool well = e.result == "done" || e.result == "unchanged";
    figures_.commands.add({e.command,
                           e.result == "done" ? "accepted"
                           : well             ? "idempotent"
                                              : "failed",
                           {}});
    if (e.child.empty()) return;
    if (e.result == "stale_generation") {
      figures_.children.with(e.child,
                             [](auto& figures, auto&) { count(figures, Fence::rejected); });
    } else if (well && e.command == "restart_child") {
      // Who joins a command that runs is answered together with whom he joined.
      figures_.children.with(e.child, [&](auto& figures, auto& memory) {
        if (memory.restart_answered == event.monotonic) count(figures, Fence::already_pending);
        memory.restart_answered = event.monotonic;
      });
    }
  }
  void on(const sv::Event& event, const sv::events::PlanApplied&) {
    figures_.plans.add({event.path, {}, {}});
  }

  // --- the tree ---
  void on(const sv::Event& event, const sv::events::ShutdownStageReached& e) {
    figures_.shutdown.on(event, e);
  }
  void on(const sv::Event& event, const sv::events::TreeStopped& e) {
    figures_.shutdown.on(event, e);
  }
  void on(const sv::Event& event, const sv::events::ShutdownCompleted& e) {
    figures_.shutdown.on(event, e);
  }
  void on(const sv::Event& event, const sv::events::SubscriberLagged& e) {
    figures_.lag.add({event.path, {}, {}}, e.dropped);
  }
  void on(const sv::Event&, const sv::events::BackpressureAlert& e) {
    figures_.alerts.add({e.level, {}, {}});
  }

  static void count(internal::ChildFigures& figures, Fence what) {
    figures.fence[static_cast<std::size_t>(what)].add();
  }
  void set_active(const std::string& path) {
    figures_.children.with_remembered(
        path, [&](auto&, auto& memory) { change(memory, Operation::active); });
  }
  void become(const std::string& path, Operation to) {
    figures_.children.with(path, [&](auto&, auto& memory) { change(memory, to); });
  }
  void change(internal::ChildMemory& memory, Operation to) {
    if (memory.operation == to) return;
    figures_.transitions[static_cast<std::size_t>(memory.operation)][static_cast<std::size_t>(to)]
        .add();
    memory.operation = to;
  }

  internal::TreeFigures figures_;
};

TreeCounters::TreeCounters(std::size_t max_children)
    : impl_(std::make_unique<Impl>(max_children)) {}
TreeCounters::~TreeCounters() = default;

void TreeCounters::publish(const sv::Event& event) {
  impl_->publish(event);
}

void TreeCounters::probed(const sv::ProbeTiming& timing) {
  impl_->probed(timing);
}

void TreeCounters::write(Writer& to) const {
  impl_->write(to);
}

std::span<const Family> TreeCounters::families() {
  return internal::TreeFigures::families();
}

}  // namespace espalier::metrics
