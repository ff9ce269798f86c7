#pragma once

#include "espalier/supervisor/observe/journal_file.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// A folder of its own for the journal of a test, and what the journal had to say.
class JournalFolderTest : public testing::Test {
 protected:
  JournalFolderTest() {
    std::string name =
        (std::filesystem::temp_directory_path() / "espalier_journal_XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    spec_.folder = root_ + "/deep/journal";
  }
  ~JournalFolderTest() override { std::filesystem::remove_all(root_); }

  static Event numbered(std::uint64_t sequence, const std::string& text = "at work") {
    Event event;
    event.sequence = sequence;
    event.epoch = 7;
    event.at = std::chrono::system_clock::time_point{std::chrono::seconds{sequence}};
    event.path = "/db";
    event.body = events::ChildStatusText{text};
    return event;
  }

  std::shared_ptr<JournalFile> start() {
    auto file = JournalFile::start(spec_, [this](Severity, const std::string& text) {
      const std::scoped_lock lock{mutex_};
      said_.push_back(text);
    });
    EXPECT_TRUE(file) << file.error();
    return *file;
  }

  /// Publishes the events of these numbers and waits until they are written.
  static bool write(JournalFile& file, std::uint64_t from, std::uint64_t to) {
    for (auto i = from; i <= to; ++i)
      file.publish(numbered(i));
    return file.flush();
  }

  [[nodiscard]] std::vector<JournalItem> read(JournalStart from = {}) const {
    auto reader = JournalReader::open(spec_.folder, std::move(from));
    std::vector<JournalItem> out;
    if (!reader) return out;
    while (auto item = reader->next())
      out.push_back(std::move(*item));
    return out;
  }

  static std::uint64_t sequence_of(const JournalItem& item) {
    return nlohmann::json::parse(item.text)["sequence"].get<std::uint64_t>();
  }
  /// Numbers of the events in a journal without a fault.
  [[nodiscard]] std::vector<std::uint64_t> sequences(JournalStart from = {}) const {
    std::vector<std::uint64_t> out;
    for (const auto& item : read(std::move(from))) {
      EXPECT_EQ(item.kind, JournalItem::Kind::event) << item.file << ":" << item.line << item.text;
      if (item.kind == JournalItem::Kind::event) out.push_back(sequence_of(item));
    }
    return out;
  }

  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(spec_.folder)) {
      if (entry.path().extension() == ".ndjson") out.push_back(entry.path().string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  static std::string content(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  static void replace(const std::string& path, const std::string& bytes) {
    std::ofstream{path, std::ios::binary} << bytes;
  }

  std::vector<std::string> said() {
    const std::scoped_lock lock{mutex_};
    return said_;
  }

  std::string root_;
  JournalSpec spec_;

 private:
  std::mutex mutex_;
  std::vector<std::string> said_;
};

}  // namespace espalier::supervisor
