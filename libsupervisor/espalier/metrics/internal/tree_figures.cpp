#include "espalier/metrics/internal/tree_figures.hpp"

#include <string>
#include <utility>
#include <vector>

namespace espalier::metrics::internal {

namespace sv = espalier::supervisor;

namespace {

enum Name : std::size_t {
  restart_total,
  uptime,
  backoff,
  health_latency,
  meltdown,
  shutdown_duration,
  shutdown_outcomes,
  shutdown_abort,
  shutdown_late,
  event_lag,
  config_version,
  loop_exit,
  command_total,
  stale_heartbeats,
  operation_changes,
  fence_total,
  stale_report,
  events_total,
  alerts_total,
};

constexpr std::array<Family, alerts_total + 1> all = {{
    {"supervisor_restart_total", "Attempts after the first that became ready, by what led to them.",
     Type::counter, "path,child,decision"},
    {"supervisor_child_uptime_seconds", "How long attempts lived, seen when they ended.",
     Type::histogram, "path,child"},
    {"supervisor_backoff_seconds", "Waits that were decided before a restart.", Type::histogram,
     "path,child,decision"},
    {"supervisor_healthcheck_latency_seconds", "How long health checks took to be answered.",
     Type::histogram, "path,child"},
    {"supervisor_meltdown_total", "Restart limits that were used up.", Type::counter, "path,child"},
    {"supervisor_shutdown_duration_seconds", "How long supervisors took to end, by stage.",
     Type::histogram, "path,phase,result"},
    {"supervisor_shutdown_child_outcomes_total",
     "What became of children when the whole tree was shut down.", Type::counter,
     "path,status,phase"},
    {"supervisor_shutdown_abort_total", "Children that were ended by force.", Type::counter,
     "path,phase,reason"},
    {"supervisor_shutdown_late_reports_total",
     "Children that ended after they had been given up in a shutdown.", Type::counter,
     "path,phase"},
    {"supervisor_event_lag_total", "Events that readers who were too slow have missed.",
     Type::counter, "path"},
    {"supervisor_config_version", "Configurations the supervisor has had: 1, and 1 a reload.",
     Type::gauge, "path"},
    {"supervisor_runtime_control_loop_exit_total", "Supervisors and pools that ended.",
     Type::counter, "path,state,phase"},
    {"supervisor_child_control_command_total", "Commands, by what came of them.", Type::counter,
     "command,result"},
    {"supervisor_child_runtime_heartbeat_stale_total",
     "Children that stopped giving signs of life to their watchdog.", Type::counter, ""},
    {"supervisor_child_runtime_operation_transitions_total",
     "Changes of what is wanted of children.", Type::counter, "from,to"},
    {"supervisor_child_restart_fence_total",
     "Attempts that had to end, by command, before the next could begin.", Type::counter,
     "path,child,result"},
    {"supervisor_child_attempt_stale_report_total",
     "Reports of attempts that were no longer the current one.", Type::counter, "handled_as"},
    {"espalier_events_total", "Events of the tree.", Type::counter, "type"},
    {"espalier_backpressure_alerts_total", "Alerts about slow readers of events.", Type::counter,
     "level"},
}};

// The words of all types, from a default of each.
template <std::size_t... i>
std::array<const char*, sizeof...(i)> words_of(std::index_sequence<i...>) {
  return {sv::type_name(sv::EventBody{std::in_place_index<i>})...};
}

using Slots = std::vector<const ChildSlot*>;

// A series for each label and figure that is not zero.
template <std::size_t size, class Word>
void write_counts(Writer& to, const ChildSlot& slot, std::string_view label,
                  const std::array<Count, size>& counts, Word word) {
  for (std::size_t i = 0; i < size; ++i) {
    const auto n = counts[i].get();
    if (n == 0) continue;
    to.sample({{"path", slot.path}, {"child", slot.child}, {label, word(i)}},
              static_cast<double>(n));
  }
}

void write_histograms(Writer& to, const Slots& slots,
                      std::atomic<Histogram*> ChildFigures::*which) {
  for (const auto* slot : slots) {
    const auto* histogram = (slot->figures.*which).load(std::memory_order_acquire);
    if (!histogram) continue;
    to.histogram({{"path", slot->path}, {"child", slot->child}}, histogram->value());
  }
}

void write_backoff(Writer& to, const Slots& slots) {
  for (const auto* slot : slots) {
    for (std::size_t i = 0; i < decisions; ++i) {
      const auto* histogram = slot->figures.backoff[i].load(std::memory_order_acquire);
      if (!histogram) continue;
      const auto* why = to_string(static_cast<Decision>(i));
      to.histogram({{"path", slot->path}, {"child", slot->child}, {"decision", why}},
                   histogram->value());
    }
  }
}

void write_table(Writer& to, const CountTable& table, std::array<std::string_view, 3> names) {
  table.visit([&](const auto& values, const auto& count) {
    const auto n = static_cast<double>(count.get());
    if (names[1].empty()) return to.sample({{names[0], values[0]}}, n);
    if (names[2].empty()) return to.sample({{names[0], values[0]}, {names[1], values[1]}}, n);
    to.sample({{names[0], values[0]}, {names[1], values[1]}, {names[2], values[2]}}, n);
  });
}

}  // namespace

void TreeFigures::write(Writer& to) {
  write_children(to);
  write_shutdown(to);
  write_totals(to);
  write_commands(to);
}

void TreeFigures::write_children(Writer& to) {
  const auto view = children.view();
  to.family(all[restart_total]);
  for (const auto* slot : view.slots) {
    write_counts(to, *slot, "decision", slot->figures.restarts,
                 [](std::size_t i) { return to_string(static_cast<Decision>(i)); });
  }
  to.family(all[uptime]);
  write_histograms(to, view.slots, &ChildFigures::uptime);
  to.family(all[backoff]);
  write_backoff(to, view.slots);
  to.family(all[health_latency]);
  write_histograms(to, view.slots, &ChildFigures::health_latency);
  to.family(all[meltdown]);
  for (const auto* slot : view.slots) {
    const auto n = slot->figures.meltdowns.get();
    if (n == 0) continue;
    to.sample({{"path", slot->path}, {"child", slot->child}}, static_cast<double>(n));
  }
  write_table(to, meltdowns, {"path", "child"});
  to.family(all[fence_total]);
  for (const auto* slot : view.slots) {
    write_counts(to, *slot, "result", slot->figures.fence,
                 [](std::size_t i) { return to_string(static_cast<Fence>(i)); });
  }
}

void TreeFigures::write_shutdown(Writer& to) const {
  to.family(all[shutdown_duration]);
  shutdown.durations.visit([&](const auto& values, const auto& histogram) {
    to.histogram({{"path", values[0]}, {"phase", values[1]}, {"result", values[2]}},
                 histogram.value());
  });
  to.family(all[shutdown_outcomes]);
  write_table(to, shutdown.outcomes, {"path", "status", "phase"});
  to.family(all[shutdown_abort]);
  write_table(to, shutdown.aborts, {"path", "phase", "reason"});
  to.family(all[shutdown_late]);
  write_table(to, shutdown.late, {"path", "phase"});
  to.family(all[loop_exit]);
  write_table(to, shutdown.exits, {"path", "state", "phase"});
}

void TreeFigures::write_totals(Writer& to) const {
  static const auto words = words_of(std::make_index_sequence<event_types>{});
  to.family(all[events_total]);
  for (std::size_t i = 0; i < event_types; ++i)
    to.sample({{"type", words[i]}}, static_cast<double>(events[i].get()));
  to.family(all[alerts_total]);
  write_table(to, alerts, {"level"});
  to.family(all[event_lag]);
  if (events[sv::EventBody{sv::events::SubscriberLagged{}}.index()].get() == 0) {
    to.sample({{"path", "/"}}, 0);  // So that an alert can see it rise for the first time.
  }
  write_table(to, lag, {"path"});
  to.family(all[config_version]);
  bool root = false;
  plans.visit([&](const auto& values, const auto& count) {
    root = root || values[0] == "/";
    to.sample({{"path", values[0]}}, 1 + static_cast<double>(count.get()));
  });
  if (!root) to.sample({{"path", "/"}}, 1);
}

void TreeFigures::write_commands(Writer& to) const {
  to.family(all[command_total]);
  write_table(to, commands, {"command", "result"});
  to.family(all[stale_heartbeats]);
  to.sample({}, static_cast<double>(heartbeat_stale.get()));
  to.family(all[operation_changes]);
  for (std::size_t from = 0; from < operations; ++from) {
    for (std::size_t into = 0; into < operations; ++into) {
      const auto n = transitions[from][into].get();
      if (n == 0) continue;
      to.sample({{"from", to_string(static_cast<Operation>(from))},
                 {"to", to_string(static_cast<Operation>(into))}},
                static_cast<double>(n));
    }
  }
  to.family(all[stale_report]);
  to.sample({{"handled_as", "ignored"}}, static_cast<double>(stale_reports.get()));
}

std::span<const Family> TreeFigures::families() {
  return all;
}

}  // namespace espalier::metrics::internal
