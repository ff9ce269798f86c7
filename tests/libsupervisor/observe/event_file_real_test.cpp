#include "espalier/supervisor/observe/event_file.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

namespace espalier::supervisor {
namespace {

using nlohmann::json;

Event numbered(std::uint64_t sequence) {
  Event event;
  event.sequence = sequence;
  event.epoch = 7;
  event.path = "/db";
  event.body = events::ChildStatusText{"at work"};
  return event;
}

std::vector<json> read_lines(std::istream& in) {
  std::vector<json> out;
  for (std::string line; std::getline(in, line);)
    out.push_back(json::parse(line));
  return out;
}
std::vector<json> read_lines(const std::string& path) {
  std::ifstream in{path};
  return read_lines(in);
}

class EventFileTest : public testing::Test {
 protected:
  ~EventFileTest() override { std::filesystem::remove(path_); }
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("espalier_events_" + std::to_string(::getpid())))
          .string();
};

TEST_F(EventFileTest, WritesEveryEventAsALineAndTruncatesWhatWasThere) {
  std::ofstream{path_} << "old\n";
  {
    auto file = EventFile::open(path_);
    ASSERT_TRUE(file) << file.error();
    (*file)->publish(numbered(1));
    EXPECT_TRUE((*file)->flush());
    EXPECT_EQ(read_lines(path_).size(), 1u) << "flushed means written";
    (*file)->publish(numbered(2));
  }
  const auto lines = read_lines(path_);
  ASSERT_EQ(lines.size(), 2u) << "the end writes what is queued";
  EXPECT_EQ(lines[1]["sequence"], 2);
}

TEST_F(EventFileTest, SaysWhyItCannotBeOpened) {
  const auto file = EventFile::open("/no/such/folder/events");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error(),
            "cannot write events to \"/no/such/folder/events\": No such file or directory; "
            "name a file in a folder that exists and may be written, or - for standard output");
}

TEST_F(EventFileTest, AFullDiskFailsTheFlushAndNothingElse) {
  auto file = EventFile::open("/dev/full");
  ASSERT_TRUE(file) << file.error();
  for (std::uint64_t i = 1; i <= 100; ++i)
    (*file)->publish(numbered(i));
  EXPECT_FALSE((*file)->flush());
  (*file)->publish(numbered(101));
  EXPECT_FALSE((*file)->flush());
}

// A file size limit is a disk that is full at a known place and has room again later.
TEST_F(EventFileTest, AfterAFullDiskTheFileGoesOnAndNamesWhatIsMissing) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  {
    auto file = EventFile::open(path_);
    ASSERT_TRUE(file) << file.error();
    const rlimit small{1000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    for (std::uint64_t i = 1; i <= 50; ++i)
      (*file)->publish(numbered(i));
    EXPECT_FALSE((*file)->flush());
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    (*file)->publish(numbered(51));
    (*file)->flush();
  }
  std::ifstream in{path_};
  std::uint64_t whole = 0, torn = 0, dropped = 0, last = 0;
  for (std::string line; std::getline(in, line);) {
    const auto object = json::parse(line, nullptr, false);
    if (object.is_discarded()) {
      ++torn;
    } else if (object["type"] == "subscriber_lagged") {
      dropped += object["dropped"].get<std::uint64_t>();
      EXPECT_EQ(object["to"], 50);
    } else {
      ++whole;
      last = object["sequence"].get<std::uint64_t>();
    }
  }
  EXPECT_EQ(last, 51u);
  EXPECT_LE(torn, 1u);
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(whole + dropped, 51u) << "each event is there or announced as missing";
}

TEST_F(EventFileTest, AClosedPipeIsAnErrorAndNotTheEnd) {
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  auto file = EventFile::open("/proc/self/fd/" + std::to_string(ends[1]));
  ASSERT_TRUE(file) << file.error();
  ::close(ends[0]);
  ::close(ends[1]);
  (*file)->publish(numbered(1));
  EXPECT_FALSE((*file)->flush());
}

TEST_F(EventFileTest, ASlowReaderNeverBlocksPublishAndIsToldWhatItMissed) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  std::promise<void> published;
  auto reader = std::async(std::launch::async, [&] {
    std::ifstream in{path_};  // Waits for the writer to open; then reads nothing for a while.
    published.get_future().wait();
    return read_lines(in);
  });
  constexpr std::uint64_t events = 60000;
  {
    auto file = EventFile::open(path_);
    ASSERT_TRUE(file) << file.error();
    for (std::uint64_t i = 1; i <= events; ++i)
      (*file)->publish(numbered(i));
    published.set_value();
  }
  std::uint64_t written = 0, dropped = 0;
  for (const auto& line : reader.get()) {
    if (line["type"] != "subscriber_lagged") {
      ++written;
      continue;
    }
    dropped += line["dropped"].get<std::uint64_t>();
    EXPECT_LE(line["from"], line["to"]);
    EXPECT_EQ(line["severity"], "warning");
    EXPECT_EQ(line["epoch"], 7);
  }
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(written + dropped, events);
}

TEST_F(EventFileTest, EventsOfManyThreadsAllArrive) {
  {
    auto file = EventFile::open(path_);
    ASSERT_TRUE(file) << file.error();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (std::uint64_t n = 1; n <= 1000; ++n)
          (*file)->publish(numbered(n));
      });
    }
    for (auto& thread : threads)
      thread.join();
  }
  EXPECT_EQ(read_lines(path_).size(), 4000u);
}

}  // namespace
}  // namespace espalier::supervisor
