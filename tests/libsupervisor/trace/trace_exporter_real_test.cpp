#include "espalier/supervisor/trace/span_file.hpp"
#include "espalier/supervisor/trace/trace_exporter.hpp"
#include "libsupervisor/trace/fake_collector.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using Kind = SpanOutlet::Outcome::Kind;

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "espalier_spans_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file{path};
  std::vector<std::string> result;
  for (std::string line; std::getline(file, line);)
    result.push_back(line);
  return result;
}

bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000 && !condition(); ++i)
    std::this_thread::sleep_for(10ms);
  return condition();
}

class TraceExporterTest : public testing::Test {
 protected:
  std::shared_ptr<TraceExporter> start(const TraceSpec& spec) {
    auto exporter =
        TraceExporter::start(spec, {.service = "shop"}, [this](Severity, const std::string& text) {
          const std::lock_guard lock{mutex_};
          told_ += text + "\n";
        });
    EXPECT_TRUE(exporter) << exporter.error();
    return *exporter;
  }
  std::string told() {
    const std::lock_guard lock{mutex_};
    return told_;
  }
  static void live(EventSink& sink, const std::string& path) {
    static std::atomic<std::uint64_t> sequence = 0;
    for (EventBody body : {EventBody{events::ChildStarting{}}, EventBody{events::ChildExited{}}}) {
      sink.publish({.sequence = ++sequence,
                    .epoch = 1,
                    .at = std::chrono::system_clock::now(),
                    .path = path,
                    .generation = 1,
                    .body = std::move(body)});
    }
  }
  static std::size_t spans_in(const std::string& request) {
    return json::parse(request)["resourceSpans"][0]["scopeSpans"][0]["spans"].size();
  }

  TempFolder folder_;
  std::mutex mutex_;
  std::string told_;
};

TEST_F(TraceExporterTest, WritesLinesThatAFileReceiverReads) {
  const auto path = folder_ / "spans";
  {
    const auto exporter = start({.file = path});
    live(*exporter, "/db");
  }
  const auto lines = lines_of(path);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(spans_in(lines[0]), 2u);
  EXPECT_EQ(told(), "");
}

TEST_F(TraceExporterTest, SendsToACollectorWhatTheProtocolAsksFor) {
  FakeCollector collector;
  const auto exporter = start({.endpoint = collector.url()});
  live(*exporter, "/db");
  ASSERT_TRUE(comes_true([&] { return exporter->counts().collector.brought == 2; }));
  const auto request = collector.requests().at(0);
  EXPECT_EQ(request.method_string(), "POST");
  EXPECT_EQ(request.target(), "/v1/traces");
  EXPECT_EQ(request["content-type"], "application/json");
  EXPECT_EQ(spans_in(request.body()), 2u);
}

TEST_F(TraceExporterTest, ACollectorThatIsNotThereIsTriedAgain) {
  unsigned short port = 0;
  { port = FakeCollector{}.port(); }
  const auto exporter = start({.endpoint = "http://127.0.0.1:" + std::to_string(port)});
  live(*exporter, "/db");
  ASSERT_TRUE(comes_true([&] { return told().find("cannot bring") != std::string::npos; }));
  EXPECT_EQ(exporter->counts().collector.waiting, 2u);
  FakeCollector collector{port};
  EXPECT_TRUE(comes_true([&] { return exporter->counts().collector.brought == 2; }));
  EXPECT_TRUE(comes_true([&] {
    return told().find("spans to the collector are brought again; 0 are lost") != std::string::npos;
  })) << told();
}

TEST_F(TraceExporterTest, WhatACollectorCannotTakeNowComesAgain) {
  FakeCollector collector;
  collector.answer(503);
  const auto exporter = start({.endpoint = collector.url()});
  live(*exporter, "/db");
  ASSERT_TRUE(comes_true([&] { return !collector.requests().empty(); }));
  collector.answer(200);
  EXPECT_TRUE(comes_true([&] { return exporter->counts().collector.brought == 2; }));
  EXPECT_EQ(exporter->counts().collector.lost, 0u);
}

TEST_F(TraceExporterTest, WhatACollectorRefusesIsLostAndToldWithItsWords) {
  FakeCollector collector;
  collector.answer(400);
  const auto exporter = start({.endpoint = collector.url()});
  live(*exporter, "/db");
  EXPECT_TRUE(comes_true([&] { return exporter->counts().collector.lost == 2; }));
  EXPECT_TRUE(comes_true([&] { return !told().empty(); }));
  EXPECT_THAT(told(), HasSubstr("400 as it was told to"));
}

TEST_F(TraceExporterTest, SpansThatWaitAreBoundedAndTheRestIsCounted) {
  const auto exporter = start({.endpoint = "http://127.0.0.1:1", .capacity = 16});
  for (int i = 0; i < 100; ++i)
    live(*exporter, "/db");
  const auto counts = exporter->counts().collector;
  EXPECT_EQ(counts.waiting, 16u);
  EXPECT_EQ(counts.lost, 184u);
}

TEST_F(TraceExporterTest, TheEndComesAlsoWhereNobodyTakesTheSpans) {
  const auto begin = std::chrono::steady_clock::now();
  {
    const auto exporter = start({.endpoint = "http://127.0.0.1:1"});
    live(*exporter, "/db");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);
}

TEST(SpanFile, KeepsAtMostTwoFilesOfItsSize) {
  const TempFolder folder;
  const auto path = folder / "spans";
  SpanFile file{path, 100};
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(file.append(std::string(39, static_cast<char>('0' + i))).kind, Kind::done);
  EXPECT_THAT(lines_of(path), testing::ElementsAre(std::string(39, '8'), std::string(39, '9')));
  EXPECT_THAT(lines_of(path + ".1"),
              testing::ElementsAre(std::string(39, '6'), std::string(39, '7')));
  EXPECT_FALSE(std::filesystem::exists(path + ".2"));
}

TEST(SpanFile, IsBegunAnewWhereSomebodyMovedItAway) {
  const TempFolder folder;
  const auto path = folder / "spans";
  SpanFile file{path, 1000};
  static_cast<void>(file.append("one"));
  std::filesystem::rename(path, folder / "moved");
  static_cast<void>(file.append("two"));
  EXPECT_THAT(lines_of(path), testing::ElementsAre("two"));
  EXPECT_THAT(lines_of(folder / "moved"), testing::ElementsAre("one"));
}

TEST(SpanFile, AFullDiskLeavesWholeLinesAndIsTriedAgain) {
  const TempFolder folder;
  const auto path = folder / "spans";
  SpanFile file{path, 1UL << 20U};
  ASSERT_EQ(file.append("first").kind, Kind::done);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{10, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  const auto refused = file.append("second, which is too long");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old);
  EXPECT_EQ(refused.kind, Kind::later);
  EXPECT_THAT(refused.why, HasSubstr(path));
  EXPECT_THAT(lines_of(path), testing::ElementsAre("first"));
  EXPECT_EQ(file.append("third").kind, Kind::done);
  EXPECT_THAT(lines_of(path), testing::ElementsAre("first", "third"));
}

TEST(SpanFile, AFolderThatIsNotThereIsNamed) {
  SpanFile file{"/nowhere/at/all", 1000};
  const auto refused = file.append("x");
  EXPECT_EQ(refused.kind, Kind::later);
  EXPECT_THAT(refused.why, HasSubstr("\"/nowhere/at/all\": No such file"));
}

}  // namespace
}  // namespace espalier::supervisor
