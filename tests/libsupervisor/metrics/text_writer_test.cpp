#include "espalier/metrics/text_writer.hpp"

#include "espalier/metrics/exposition.hpp"
#include "espalier/metrics/label.hpp"
#include "libsupervisor/metrics/scrape.hpp"

#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <memory>
#include <string>

namespace espalier::metrics {
namespace {

using testing::series_of;

constexpr Family counter{"x_total", "Things.", Type::counter, "path,child"};
constexpr Family gauge{"x_now", "Things now.", Type::gauge, ""};
constexpr Family waits{"x_seconds", "Waits.", Type::histogram, "path"};

HistogramValue some_waits() {
  HistogramValue value;
  value.bounds = {0.5, 10};
  value.bound_count = 2;
  value.counts = {3, 2, 1};
  value.sum = 30.25;
  return value;
}

/// Something of every kind, with what is hard to write.
class Sample final : public Source {
 public:
  void write(Writer& to) const override {
    to.family(counter);
    to.sample({{"path", "/"}, {"child", "db"}}, 3);
    to.sample({{"path", "/a\\b\"c"}, {"child", std::string(200, 'x')}}, 9007199254740993.0);
    to.sample({{"path", "/two\nlines"}, {"child", "\xff\xfe"}}, 0.1);
    to.family(gauge);
    to.sample({}, -2.5);
    to.family(waits);
    to.histogram({{"path", "/"}}, some_waits());
  }
};

TEST(TextWriter, WritesHelpTypeAndSeriesOfAFamily) {
  std::string text;
  TextWriter writer{text};
  writer.family(counter);
  writer.sample({{"path", "/"}, {"child", "db"}}, 3);
  writer.family(gauge);
  writer.sample({}, 0.25);
  EXPECT_EQ(text,
            "# HELP x_total Things.\n# TYPE x_total counter\nx_total{path=\"/\",child=\"db\"} 3\n"
            "# HELP x_now Things now.\n# TYPE x_now gauge\nx_now 0.25\n");
}

TEST(TextWriter, AddsUpTheBucketsOfAHistogram) {
  std::string text;
  TextWriter writer{text};
  writer.family(waits);
  writer.histogram({{"path", "/"}}, some_waits());
  EXPECT_EQ(text,
            "# HELP x_seconds Waits.\n# TYPE x_seconds histogram\n"
            "x_seconds_bucket{path=\"/\",le=\"0.5\"} 3\nx_seconds_bucket{path=\"/\",le=\"10\"} 5\n"
            "x_seconds_bucket{path=\"/\",le=\"+Inf\"} 6\nx_seconds_sum{path=\"/\"} 30.25\n"
            "x_seconds_count{path=\"/\"} 6\n");
}

TEST(TextWriter, WritesNumbersThatAreNone) {
  std::string text;
  TextWriter writer{text};
  writer.sample({}, std::numeric_limits<double>::infinity());
  writer.sample({}, -std::numeric_limits<double>::infinity());
  writer.sample({}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(text, " +Inf\n -Inf\n NaN\n");
}

TEST(TextWriter, EscapesWhatWouldEndAValue) {
  std::string text;
  TextWriter writer{text};
  writer.sample({{"a", "x\\y\"z"}}, 1);
  EXPECT_EQ(text, "{a=\"x\\\\y\\\"z\"} 1\n");
}

TEST(Label, StaysAsItIsWhileItIsShortAndPlain) {
  EXPECT_EQ(bounded_label("/web/api-1"), "/web/api-1");
  EXPECT_EQ(bounded_label(std::string(96, 'x')), std::string(96, 'x'));
}

TEST(Label, KeepsTwoLongValuesApartInNinetySixBytes) {
  const auto one = bounded_label(std::string(300, 'x') + "1");
  const auto two = bounded_label(std::string(300, 'x') + "2");
  EXPECT_EQ(one.size(), 96U);
  EXPECT_EQ(two.size(), 96U);
  EXPECT_NE(one, two);
  EXPECT_EQ(one, bounded_label(std::string(300, 'x') + "1"));
}

TEST(Label, HoldsNoLineEndAndNothingThatIsNoUtf8) {
  EXPECT_EQ(bounded_label("a\nb\tc"), "a b c");
  EXPECT_EQ(bounded_label("x\xffy\xc3"), "x?y?");
  EXPECT_EQ(bounded_label("\xe5\xae\x88\xe6\x8a\xa4"), "\xe5\xae\x88\xe6\x8a\xa4");
  EXPECT_EQ(bounded_label("\xed\xa0\x80"), "???");  // A surrogate.
}

TEST(Label, IsNeverCutInTheMiddleOfACharacter) {
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += "\xe5\xae\x88";
  const auto cut = bounded_label(text);
  EXPECT_LE(cut.size(), 96U);
  EXPECT_EQ(bounded_label(cut), cut);
  EXPECT_EQ(cut.find('?'), std::string::npos);
}

TEST(Exposition, SaysTheSameAsTheSerializerOfPrometheus) {
  Exposition all;
  all.add(std::make_shared<Sample>());
  const auto theirs = prometheus::TextSerializer{}.Serialize(all.Collect());
  auto ours = series_of(all.text());
  auto other = series_of(theirs);
  ASSERT_EQ(ours.size(), 9U);
  ASSERT_EQ(ours.size(), other.size());
  for (const auto& [series, value] : ours) {
    ASSERT_TRUE(other.contains(series)) << series;
    EXPECT_EQ(std::stod(value), std::stod(other[series])) << series;
  }
  EXPECT_NE(theirs.find("# TYPE x_seconds histogram"), std::string::npos);
}

TEST(Exposition, ShowsTheMetricsOfTheProgramItIsIn) {
  const auto own = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter()
      .Name("shop_orders_total")
      .Help("Orders.")
      .Register(*own)
      .Add({})
      .Increment(4);
  Exposition all;
  all.add(std::make_shared<Sample>());
  all.add(std::shared_ptr<const prometheus::Collectable>{own});
  EXPECT_EQ(series_of(all.text())["shop_orders_total"], "4");
  EXPECT_EQ(all.Collect().back().name, "shop_orders_total");
}

}  // namespace
}  // namespace espalier::metrics
