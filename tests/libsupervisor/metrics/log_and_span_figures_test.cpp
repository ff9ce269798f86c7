#include "espalier/metrics/log_figures.hpp"
#include "espalier/metrics/span_figures.hpp"
#include "libsupervisor/metrics/scrape.hpp"

#include <gtest/gtest.h>

namespace espalier::metrics {
namespace {

namespace sv = espalier::supervisor;

TEST(LogFigures, AskAtEachScrape) {
  LogFigures::Counts now{.lost = 3, .left_out = 7};
  const LogFigures figures{[&] { return now; }};
  EXPECT_EQ(testing::value_of(figures, "espalier_log_lines_lost_total"), "3");
  now.left_out = 8;
  EXPECT_EQ(testing::value_of(figures, "espalier_log_lines_left_out_total"), "8");
}

TEST(SpanFigures, TellWhatWaitsAndWhatIsLost) {
  auto exporter = sv::TraceExporter::start({.endpoint = "http://127.0.0.1:1", .capacity = 16}, {},
                                           [](sv::Severity, const std::string&) {});
  ASSERT_TRUE(exporter);
  const SpanFigures figures{*exporter};
  for (std::uint64_t n = 1; n <= 20; ++n) {
    (*exporter)->publish({.sequence = n, .epoch = 1, .body = sv::events::RestartDecided{}});
  }
  EXPECT_EQ(testing::value_of(figures, R"(espalier_spans_waiting{to="collector"})"), "16");
  EXPECT_EQ(testing::value_of(figures, R"(espalier_spans_total{to="collector",outcome="lost"})"),
            "4");
  EXPECT_EQ(testing::value_of(figures, R"(espalier_spans_waiting{to="file"})"), "0");
  exporter->reset();
  EXPECT_EQ(testing::value_of(figures, R"(espalier_spans_waiting{to="file"})"), "none");
}

}  // namespace
}  // namespace espalier::metrics
