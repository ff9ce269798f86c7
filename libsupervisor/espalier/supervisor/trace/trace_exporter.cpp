#include "espalier/supervisor/trace/trace_exporter.hpp"

#include "espalier/supervisor/trace/collector.hpp"
#include "espalier/supervisor/trace/span_file.hpp"

#include <system_error>
#include <utility>

namespace espalier::supervisor {

expected<std::shared_ptr<TraceExporter>, std::string> TraceExporter::start(
    const TraceSpec& spec, const TraceSource& source, Tell tell) {
  std::shared_ptr<TraceExporter> exporter{new TraceExporter};
  try {
    if (!spec.file.empty()) {
      const auto file = std::make_shared<SpanFile>(spec.file, spec.file_max_bytes);
      exporter->file_ = std::make_unique<SpanOutlet>(SpanOutlet::Options{
          source, "spans to \"" + spec.file + "\"", spec.capacity,
          [file](const std::string& request) { return file->append(request); }, tell});
    }
    if (!spec.endpoint.empty()) {
      const auto address = parse_collector(spec.endpoint);
      if (!address) return unexpected<std::string>(address.error());
      exporter->collector_ = std::make_unique<SpanOutlet>(SpanOutlet::Options{
          source, "spans to the collector", spec.capacity,
          [to = *address](const std::string& request) { return send_to_collector(to, request); },
          std::move(tell)});
    }
  } catch (const std::system_error& error) {
    return unexpected<std::string>("cannot start a thread for spans: " + error.code().message() +
                                   "; raise the limit of threads");
  }
  return exporter;
}

TraceExporter::~TraceExporter() {
  std::vector<Span> ended;
  builder_.finish(std::chrono::system_clock::now(), ended);
  hand_on(ended);
}

void TraceExporter::publish(const Event& event) {
  std::vector<Span> ended;
  const std::lock_guard lock{mutex_};
  builder_.add(event, ended);
  hand_on(ended);
}

void TraceExporter::hand_on(std::vector<Span>& ended) const {
  for (auto& span : ended) {
    const auto shared = std::make_shared<const Span>(std::move(span));
    if (file_) file_->push(shared);
    if (collector_) collector_->push(shared);
  }
}

TraceExporter::Counts TraceExporter::counts() const {
  Counts result;
  if (file_) result.file = file_->counts();
  if (collector_) result.collector = collector_->counts();
  return result;
}

}  // namespace espalier::supervisor
