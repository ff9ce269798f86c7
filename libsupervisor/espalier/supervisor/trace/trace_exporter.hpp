#pragma once

#include "espalier/supervisor/config/observability_spec.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/trace/span_builder.hpp"
#include "espalier/supervisor/trace/span_outlet.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Shows the life of a tree to whoever reads OpenTelemetry: a span for each attempt and each
/// decision, to a file, to a collector, or to both.
///
/// `publish` waits for neither disk nor network. Thread-safe. The end ends the spans that are open,
/// and brings what waits for some seconds at most.
class TraceExporter final : public EventSink {
 public:
  using Tell = std::function<void(Severity severity, const std::string& text)>;
  struct Counts {
    SpanOutlet::Counts file = {};
    SpanOutlet::Counts collector = {};
  };

  /// The sentence says what is wrong with the settings, or that there is no thread to be had.
  [[nodiscard]] static expected<std::shared_ptr<TraceExporter>, std::string> start(
      const TraceSpec& spec, const TraceSource& source, Tell tell);
  ~TraceExporter() override;
  void publish(const Event& event) override;
  [[nodiscard]] Counts counts() const;

 private:
  TraceExporter() = default;
  void hand_on(std::vector<Span>& ended) const;

  std::mutex mutex_;
  SpanBuilder builder_;
  std::unique_ptr<SpanOutlet> file_;
  std::unique_ptr<SpanOutlet> collector_;
};

}  // namespace espalier::supervisor
