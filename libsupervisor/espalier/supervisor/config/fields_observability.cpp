#include "espalier/supervisor/config/collector_address.hpp"
#include "espalier/supervisor/config/internal/fields.hpp"
#include "espalier/supervisor/config/internal/value_dashboard.hpp"
#include "espalier/supervisor/config/listen_address.hpp"

namespace espalier::supervisor::internal {

namespace {

constexpr std::uint64_t smallest_trace_file = 4096;

void describe_journal(FieldVisitor& v, JournalSpec& journal) {
  v.value({"path", "Folder of the journal on disk; left out: there is none.",
           "/var/lib/espalier/shop.journal"},
          text_value(journal.folder));
  v.value(
      {"segment_bytes", "A file that has grown to this, or to a quarter of max_bytes, is closed."},
      size_value(journal.segment_bytes, 4096, 1UL << 32U));
  v.value({"max_bytes", "All files together; the oldest are removed."},
          size_value(journal.max_bytes, 8192, 1UL << 44U));
  v.value({"keep", "Most files; 0: as many as max_bytes allows."},
          number_value(journal.keep, 0, 100'000));
  v.value({"max_age", "Files with nothing younger are removed; 0: none for its age."},
          duration_value(journal.max_age, Zero::allowed));
  v.value({"sync",
           "When events are safe from a loss of power: when the kernel writes them, within a "
           "second, or at once."},
          word_value<JournalSync>(journal.sync, {{JournalSync::never, "never"},
                                                 {JournalSync::interval, "interval"},
                                                 {JournalSync::always, "always"}}));
}

void describe_rate(FieldVisitor& v, const FieldInfo& info, LineRate& rate) {
  v.group(info, "lines", [&](FieldVisitor& inner) {
    inner.value({"lines", "Within the window; 0: as many as there are."},
                number_value(rate.lines, 0, 10'000'000));
    inner.value({"window", "After it comes one line with the number of those left out."},
                duration_value(rate.window, Zero::refused));
  });
}

void describe_logs(FieldVisitor& v, LogSpec& logs) {
  v.value({"level", "Quieter events are left out."},
          word_value<std::string>(
              logs.level,
              {{"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}}));
  v.value({"format",
           "Auto: text on a terminal, for journald where the service manager reads it, else one "
           "JSON object a line."},
          word_value<std::string>(
              logs.format,
              {{"auto", "auto"}, {"text", "text"}, {"json", "json"}, {"journald", "journald"}}));
  v.value({"file", "Appended to, and opened anew on SIGHUP; left out: standard error.",
           "/var/log/espalier/shop.log"},
          text_value(logs.file));
  describe_rate(v, {"event_rate", "Of one type of event at one path."}, logs.event_rate);
  describe_rate(v, {"output_rate", "Of what one child writes."}, logs.output_rate);
}

void describe_metrics(FieldVisitor& v, MetricsSpec& metrics) {
  v.value({"listen",
           "Where a Prometheus server may look: an address of this machine with a port, or "
           "unix:PATH; left out: nowhere.",
           "127.0.0.1:9464"},
          text_value(metrics.listen));
  v.value({"max_children",
           "Children with series of their own; what more there are is summed up at their "
           "supervisor."},
          number_value(metrics.max_children, 0, 1'000'000));
}

void describe_traces(FieldVisitor& v, TraceSpec& traces) {
  v.value({"file", "Spans as lines of OTLP in JSON; left out: no file.",
           "/var/log/espalier/shop.spans"},
          text_value(traces.file));
  v.value({"file_max_bytes", "Then the file becomes FILE.1, and a new one is begun."},
          size_value(traces.file_max_bytes, smallest_trace_file, 1UL << 40U));
  v.value({"endpoint", "Address of a collector that speaks OTLP over HTTP; left out: none.",
           "http://127.0.0.1:4318/v1/traces"},
          text_value(traces.endpoint));
  v.value({"capacity", "Spans that wait to be written or sent; more are lost and counted."},
          number_value(traces.capacity, 16, 10'000'000));
}

}  // namespace

void describe_observability(FieldVisitor& v, ObservabilitySpec& spec) {
  v.group({"journal", "Events that are kept: in memory for whoever asks, and on disk."}, "capacity",
          [&](FieldVisitor& inner) {
            inner.value({"capacity", "How many in memory; the oldest make room."},
                        number_value(spec.journal_capacity, 1, 10'000'000));
            describe_journal(inner, spec.journal);
          });
  v.group({"logs", "What goes to the log."}, "",
          [&](FieldVisitor& inner) { describe_logs(inner, spec.logs); });
  v.group({"metrics", "Figures for a Prometheus server."}, "listen",
          [&](FieldVisitor& inner) { describe_metrics(inner, spec.metrics); });
  v.group({"traces", "A span for each attempt and each decision."}, "",
          [&](FieldVisitor& inner) { describe_traces(inner, spec.traces); });
}

void describe_backpressure(FieldVisitor& v, BackpressureSpec& spec) {
  v.value(
      {"strategy",
       "Alert_and_block: a reader that is too slow gets nothing until it has caught up, then what "
       "is kept. Sample_and_audit: it gets a part. No supervisor waits for a reader."},
      word_value<BackpressureStrategy>(
          spec.strategy, {{BackpressureStrategy::alert_and_block, "alert_and_block"},
                          {BackpressureStrategy::sample_and_audit, "sample_and_audit"}}));
  v.value({"warn_threshold_pct", "A reader's queue filled to this raises an alert."},
          number_value(spec.warn_threshold_pct, 1, 100));
  v.value({"critical_threshold_pct", "Filled to this it raises an error, and the strategy holds."},
          number_value(spec.critical_threshold_pct, 1, 100));
  v.value({"window", "No second alert of one kind about the same reader within it."},
          duration_value(spec.window, Zero::refused));
  v.value({"audit_channel_capacity",
           "Records of left-out events that wait to be audited; more are summed up in one."},
          number_value(spec.audit_channel_capacity, 1, 1'000'000));
  v.value({"sample_ratio", "The part of the events that sample_and_audit keeps."},
          decimal_value(spec.sample_ratio, 0.01, 1));
}

std::vector<SpecProblem> observability_problems(const ObservabilitySpec& spec) {
  std::vector<SpecProblem> problems;
  if (!spec.metrics.listen.empty()) {
    if (const auto address = parse_listen_address(spec.metrics.listen); !address) {
      problems.push_back({{"metrics.listen"}, address.error()});
    }
  }
  if (spec.traces.endpoint.empty()) return problems;
  if (const auto address = parse_collector(spec.traces.endpoint); !address) {
    problems.push_back({{"traces.endpoint"}, address.error()});
  }
  return problems;
}

std::vector<SpecProblem> observability_warnings(const ObservabilitySpec& spec) {
  if (spec.metrics.listen.empty()) return {};
  const auto address = parse_listen_address(spec.metrics.listen);
  if (!address || address->is_loopback) return {};
  return {{{"metrics.listen"},
           "whoever reaches this address reads the names of all children and how they fare, and "
           "nothing is encrypted; keep others out, or listen on 127.0.0.1 or unix:PATH"}};
}

std::vector<SpecProblem> backpressure_problems(const BackpressureSpec& spec) {
  if (spec.warn_threshold_pct < spec.critical_threshold_pct) return {};
  return {{{"warn_threshold_pct", "critical_threshold_pct"},
           "warn_threshold_pct, " + std::to_string(spec.warn_threshold_pct) +
               ", is to be below critical_threshold_pct, " +
               std::to_string(spec.critical_threshold_pct) + "; lower the one or raise the other"}};
}

}  // namespace espalier::supervisor::internal
