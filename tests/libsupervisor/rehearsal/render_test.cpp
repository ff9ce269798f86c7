#include "espalier/rehearsal/render.hpp"

#include "libsupervisor/rehearsal/trees.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace espalier::rehearsal {
namespace {

using namespace test;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Kind = storm::Incident::Kind;

Report of_a_day() {
  auto spec = tree({child("db"), child("a<b")});
  spec.children[0].policy.restart_limit = sv::RestartLimit{3, 1min};
  spec.children[0].policy.on_exhausted = sv::OnExhausted::quarantine;
  Storm storm;
  storm.incidents.push_back(exit_of("/a<b", 6h));
  storm.incidents.push_back(
      {.at = 12h, .kind = Kind::outage, .path = "/db", .lasts = 1h, .after = 10ms});
  return rehearse(spec, storm, {.length = 24h});
}

TEST(Moment, CountsDaysAndTheTimeOfDay) {
  EXPECT_EQ(moment(0s), "00:00:00");
  EXPECT_EQ(moment(4h + 12min + 9s), "04:12:09");
  EXPECT_EQ(moment(76h + 1s), "3 d 04:00:01");
}

TEST(Percent, NeverRoundsUpToAll) {
  EXPECT_EQ(percent(1), "100 %");
  EXPECT_EQ(percent(0.9999999), "99.999 %");
  EXPECT_EQ(percent(0), "0.000 %");
}

TEST(TimelineText, ShowsWhenEachChildServed) {
  EXPECT_EQ(timeline_text(of_a_day(), 32),
            "  /a<b  ......+.................\n"
            "  /db   ............QQQQQQQQQQQQ\n"
            "        0           1 d 00:00:00\n");
}

TEST(ReportText, NamesTheWorstMomentAndItsCause) {
  const auto text = report_text(of_a_day(), 80);
  EXPECT_THAT(text, AllOf(HasSubstr("2 children, 5 failures, 4 restarts, 1 limit reached"),
                          HasSubstr("The tree stood to the end."),
                          HasSubstr("/db down for 12 h and still at the end"),
                          HasSubstr("06:00:00  /a<b down for 1 s")));
}

TEST(TimelineSvg, IsWellFormedAndEscapesNames) {
  const auto svg = timeline_svg(of_a_day(), "one & two");
  EXPECT_THAT(svg, AllOf(HasSubstr("<svg xmlns="), HasSubstr("one &amp; two"), HasSubstr("/a&lt;b"),
                         Not(HasSubstr("/a<b")), HasSubstr("</svg>")));
}

TEST(ReportJson, IsOneObjectWithTheSameNumbers) {
  const auto report = of_a_day();
  const auto json = nlohmann::json::parse(report_json(report));
  EXPECT_EQ(json["failures"], report.failures);
  EXPECT_EQ(json["stood"], true);
  EXPECT_EQ(json["children"].size(), 2u);
  EXPECT_EQ(json["worst"][0]["path"], "/db");
  EXPECT_EQ(json["length_ms"], 86'400'000);
}

TEST(ComparisonText, PutsTwoReportsSideBySide) {
  const auto calm = rehearse(tree({child("db"), child("a<b")}), {}, {.length = 24h});
  const auto stormy = of_a_day();
  const auto text = comparison_text({"before", &stormy}, {"after", &calm});
  EXPECT_THAT(text, AllOf(HasSubstr("failures"), HasSubstr("-100 %"), HasSubstr("/db")));
}

}  // namespace
}  // namespace espalier::rehearsal
