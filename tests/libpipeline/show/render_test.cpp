#include "espalier/pipeline/show/render.hpp"

#include "libpipeline/show/shown.hpp"

#include <gtest/gtest.h>

namespace espalier::pipeline {
namespace {

constexpr Canvas usual{79, 24, false, false};

TEST(ProgressLine, HasBarCountsRateFailuresAndWhatAWorkerDoes) {
  EXPECT_EQ(progress_line(busy_view(), {120, 24, false, false}),
            "crawl  [##########--------------------]  33 %  100/300  4.5/s  3 failed  ETA 44 s  "
            "fetch-W0: page 3 of 5");
}

TEST(ProgressLine, ShortensTheBarThenTheText) {
  EXPECT_EQ(progress_line(busy_view(), {60, 24, false, false}),
            "crawl  [###------]  33 %  100/300  4.5/s  3 failed  ETA 44 s");
  EXPECT_EQ(progress_line(busy_view(), {30, 24, false, false}), "crawl  33 %  100/300  4.5/s ..");
}

TEST(ProgressLine, WithoutATotalThereAreCountsAndRateOnly) {
  DashboardView view = busy_view();
  view.total.reset();
  view.eta.reset();
  view.snapshot.workers.clear();
  EXPECT_EQ(progress_line(view, usual), "crawl  100 done  4.5/s  3 failed");
}

TEST(ProgressLine, EndsAtAHundredAndNotBefore) {
  DashboardView view;
  view.snapshot.name = "p";
  view.total = 1000;
  view.snapshot.counts = {.accepted = 1000, .succeeded = 999};
  EXPECT_EQ(progress_line(view, {40, 24, false, false}),
            "p  [###########-]  99 %  999/1000  0.0/s");
  view.snapshot.counts.succeeded = 1000;
  EXPECT_EQ(progress_line(view, {44, 24, false, true}),
            "p  [\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588"
            "\u2588]  100 %  1000/1000  0.0/s");
  view.total = 0;
  view.snapshot.counts = {};
  EXPECT_EQ(progress_line(view, {30, 24, false, false}), "p  [######]  100 %  0/0  0.0/s");
}

TEST(CompactPicture, IsAPanel) {
  EXPECT_EQ(joined(compact_picture(busy_view(), usual)),
            "+- crawl ---------------------------------------------------------------------+\n"
            "| [##########--------------------]  33 %  100/300  4.5/s  3 failed  ETA 44 s  |\n"
            "| fetch 2/2  store 1/1                                                        |\n"
            "| ok 95  failed 3  skipped 2  cancelled 0  in flight 12  remaining 200        |\n"
            "| fetch-W0: page 3 of 5                                                       |\n"
            "+-----------------------------------------------------------------------------+\n");
}

TEST(DetailedPicture, HasStagesWorkersAndErrors) {
  EXPECT_EQ(joined(detailed_picture(busy_view(), usual)),
            "crawl  20 s\n"
            "[##########--------------------]  33 %  100/300  4.5/s  3 failed  ETA 44 s\n"
            "ok 95  failed 3  skipped 2  cancelled 0  in flight 12  remaining 200\n"
            "\n"
            "STAGE  BUSY  QUEUED  RETRYING  DONE  FAILED   WAITED    WORKED  BREAKER\n"
            "fetch   2/2       9         0   101       0  10.0 ms  500.0 ms\n"
            "store   1/1       0         0    97       3     0 ns    2.0 ms  half open\n"
            "\n"
            "WORKER    DONE  FAILED   AVERAGE    FOR  ITEM    DOING\n"
            "fetch-W0    50       0  500.0 ms  2.0 s  101     page 3 of 5\n"
            "fetch-W1    51       0  529.4 ms  0.5 s  doc\\n7\n"
            "store-W0    97       3    2.0 ms                 idle\n"
            "\n"
            "ERRORS\n"
            "  std::runtime_error: 2\n"
            "  std::bad_alloc: 1\n"
            "  88 at store: disk \\x1b[31mfull\n");
}

TEST(FullPicture, HasItemsOfAnyId) {
  DashboardView view = busy_view();
  view.snapshot.workers.clear();
  view.snapshot.stages.clear();
  view.errors = {};
  view.items = {shown_item("https://a/b", Status::in_progress, "fetch"),
                shown_item("7", Status::failed, "store")};
  view.items[1].error = "disk full";
  EXPECT_EQ(joined(full_picture(view, usual)),
            "crawl  20 s\n"
            "[##########--------------------]  33 %  100/300  4.5/s  3 failed  ETA 44 s\n"
            "ok 95  failed 3  skipped 2  cancelled 0  in flight 12  remaining 200\n"
            "\n"
            "ITEM         STATUS       STAGE  WORKER    SINCE  ERROR\n"
            "https://a/b  in_progress  fetch  fetch-W0  3.0 s\n"
            "7            failed       store  store-W0  3.0 s  disk full\n");
}

TEST(Pictures, SayHowMuchTheyLeaveOut) {
  DashboardView view = busy_view();
  view.errors = {};
  view.snapshot.stages.clear();
  view.snapshot.workers.clear();
  for (int i = 0; i < 100; ++i) {
    WorkerState worker;
    worker.name = "fetch-W" + std::to_string(i);
    view.snapshot.workers.push_back(worker);
  }
  const auto lines = detailed_picture(view, {79, 10, false, false});
  ASSERT_EQ(lines.size(), 10u);
  EXPECT_EQ(lines[4].substr(0, 6), "WORKER");
  EXPECT_EQ(lines[5].substr(0, 8), "fetch-W0");
  EXPECT_EQ(lines[8].substr(0, 8), "fetch-W3");
  EXPECT_EQ(lines[9], "... and 96 more");
}

// From a phone to a wall, every picture stays inside.
TEST(Pictures, FitAnyTerminal) {
  DashboardView view = busy_view();
  view.snapshot.name = "\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587 with a rather long name";
  for (int i = 0; i < 30; ++i) {
    view.items.push_back(
        shown_item("\U0001F600 item " + std::to_string(i), Status::queued, "fetch"));
    view.snapshot.workers.push_back(view.snapshot.workers[0]);
  }
  for (std::size_t columns = 1; columns <= 130; columns += 3) {
    for (std::size_t rows = 1; rows <= 60; rows += 4) {
      const Canvas canvas{columns, rows, false, columns % 2 == 0};
      for (const auto& picture :
           {compact_picture(view, canvas), detailed_picture(view, canvas),
            full_picture(view, canvas), std::vector{progress_line(view, canvas)}}) {
        ASSERT_LE(widest(picture), columns) << columns << " x " << rows;
        ASSERT_LE(picture.size(), rows) << columns << " x " << rows;
      }
    }
  }
}

TEST(Pictures, ColorIsOnlyThereWhenWanted) {
  const std::string plain = joined(full_picture(busy_view(), usual));
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  const std::string colored = joined(full_picture(busy_view(), {79, 24, true, false}));
  EXPECT_NE(colored.find("\x1b[31m  std::runtime_error: 2\x1b[0m"), std::string::npos);
  EXPECT_NE(colored.find("\x1b[1mcrawl  20 s\x1b[0m"), std::string::npos);
}

TEST(PlainLines, SayHowItGoesAndHowItWent) {
  EXPECT_EQ(plain_line(busy_view()),
            "crawl: 33 %  100/300  4.5/s  3 failed  ETA 44 s  fetch-W0: page 3 of 5");
  EXPECT_EQ(last_line(busy_view()), "crawl: 95 ok, 3 failed, 2 skipped in 20 s (4.5/s)");
}

TEST(ErrorReport, ListsTypesStagesAndTheLastErrors) {
  EXPECT_EQ(joined(error_report(busy_view().errors)),
            "Failed items: 3\n"
            "By type:\n"
            "  std::runtime_error: 2\n"
            "  std::bad_alloc: 1\n"
            "By stage:\n"
            "  store: 3\n"
            "Last errors:\n"
            "  88 at store, attempt 3: disk \\x1b[31mfull (std::runtime_error)\n");
  EXPECT_EQ(joined(error_report({})), "No errors occurred\n");
}

TEST(JsonLine, HasEverything) {
  DashboardView view = busy_view();
  view.snapshot.stages.resize(1);
  view.snapshot.workers.resize(1);
  view.errors.by_type.erase("std::bad_alloc");
  const WallTime now = WallTime{} + std::chrono::hours{24};
  EXPECT_EQ(
      json_line(view, "update", now),
      R"({"at":"1970-01-02T00:00:00.000000Z","event":"update","pipeline":"crawl","total":300,)"
      R"("done":100,"elapsed_ms":20000,"rate_per_s":4.500,"eta_ms":44000,"accepted":112,)"
      R"("succeeded":95,"failed":3,"skipped":2,"cancelled":0,"rejected":0,"late":0,)"
      R"("in_flight":12,"outputs_waiting":0,"stages":[{"name":"fetch","workers":2,"busy":2,)"
      R"("capacity":0,"queued":9,"retrying":0,"in_work":2,"completed":101,"failed":0,)"
      R"("skipped":0,"attempts":104,"retries":0,"queue_ms":1040,"service_ms":52000,)"
      R"("retry_ms":0,"blocked_ms":0,"breaker":"none"}],"workers":[{"name":"fetch-W0",)"
      R"("stage":"fetch","busy":true,"item":"101","status":"page 3 of 5","busy_ms":2000,)"
      R"("completed":50,"failed":0,"service_ms":25000}],)"
      R"("errors_by_type":[{"type":"std::runtime_error","count":2}],)"
      R"("errors_by_stage":[{"stage":"store","count":3}],)"
      R"("last_errors":[{"item":"88","stage":"store","type":"std::runtime_error",)"
      R"("error":"disk \u001b[31mfull","attempts":3,"at":"1970-01-01T00:00:00.000000Z"}],)"
      R"("events_dropped":0})");
}

}  // namespace
}  // namespace espalier::pipeline
