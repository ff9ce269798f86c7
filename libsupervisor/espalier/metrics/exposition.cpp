#include "espalier/metrics/exposition.hpp"

#include "espalier/metrics/label.hpp"
#include "espalier/metrics/text_writer.hpp"

#include <prometheus/text_serializer.h>

#include <atomic>
#include <iterator>
#include <limits>
#include <sstream>
#include <utility>

namespace espalier::metrics {

namespace {

prometheus::MetricType type_of(Type type) {
  switch (type) {
    case Type::counter:
      return prometheus::MetricType::Counter;
    case Type::gauge:
      return prometheus::MetricType::Gauge;
    case Type::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

class FamilyWriter final : public Writer {
 public:
  explicit FamilyWriter(std::vector<prometheus::MetricFamily>& out) : out_(out) {}

  void family(const Family& family) override {
    prometheus::MetricFamily made;
    made.name = family.name;
    made.help = family.help;
    made.type = type_of(family.type);
    out_.push_back(std::move(made));
  }
  void sample(Labels labels, double value) override {
    auto& metric = add(labels);
    if (out_.back().type == prometheus::MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }
  void histogram(Labels labels, const HistogramValue& value) override {
    auto& made = add(labels).histogram;
    for (std::size_t i = 0; i < value.bound_count; ++i) {
      made.sample_count += value.counts[i];
      made.bucket.push_back({made.sample_count, value.bounds[i]});
    }
    made.sample_count += value.counts[value.bound_count];
    made.bucket.push_back({made.sample_count, std::numeric_limits<double>::infinity()});
    made.sample_sum = value.sum;
  }

 private:
  prometheus::ClientMetric& add(Labels labels) {
    auto& made = out_.back().metric.emplace_back();
    for (const auto& label : labels)
      made.label.push_back({std::string{label.name}, bounded_label(label.value)});
    return made;
  }

  std::vector<prometheus::MetricFamily>& out_;
};

}  // namespace

std::string Exposition::text() const {
  std::string out;
  TextWriter writer{out};
  for (const auto& source : sources_)
    source->write(writer);
  std::ostringstream rest;
  for (const auto& collectable : collectables_)
    prometheus::TextSerializer{}.Serialize(rest, collectable->Collect());
  return out + rest.str();
}

std::vector<prometheus::MetricFamily> Exposition::Collect() const {
  std::vector<prometheus::MetricFamily> out;
  FamilyWriter writer{out};
  for (const auto& source : sources_)
    source->write(writer);
  for (const auto& collectable : collectables_) {
    auto more = collectable->Collect();
    out.insert(out.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  }
  return out;
}

}  // namespace espalier::metrics
