#pragma once

#include "espalier/supervisor/observe/internal/journal_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::supervisor {

/// A disk that does whatever a disk may do. What was not synced is kept apart; a loss of power
/// keeps a random part of it, in sectors of 512 bytes and in no order, and forgets names that were
/// not synced into their folder. Any call can be made to fail.
class SimDisk final : public internal::JournalDisk {
 public:
  explicit SimDisk(std::uint64_t seed) : random_(seed) {}

  /// Asked before each call: the error of that call, 0: none.
  std::function<int()> fault = [] { return 0; };
  std::function<int(const std::string& path)> on_remove = [](const std::string&) { return 0; };

  std::time_t written_at = 0;  ///< Each file, last.

  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [path, content] : names_)
      sum += content->now.size();
    return sum;
  }

  [[nodiscard]] std::string content(const std::string& path) const { return names_.at(path)->now; }

  /// Files that are open are of a program that is gone: nothing they do has an effect any more.
  void end_program() { ++program_; }

  void lose_power() {
    end_program();
    keep_ = std::uniform_int_distribution{0, 4}(random_);
    for (const auto& change : name_changes_) {
      if (!survives()) continue;
      if (change.content) {
        safe_names_[change.path] = change.content;
      } else {
        safe_names_.erase(change.path);
      }
    }
    names_ = safe_names_;
    name_changes_.clear();
    for (const auto& [path, content] : names_)
      tear(*content);
  }

  int enter() override { return fault(); }
  void leave() override {}
  int sync_folder() override {
    if (const int error = fault(); error != 0) return error;
    safe_names_ = names_;
    name_changes_.clear();
    return 0;
  }
  int remove(const std::string& path) override {
    if (const int error = fault(); error != 0) return error;
    if (const int error = on_remove(path); error != 0) return error;
    if (names_.erase(path) == 0) return ENOENT;
    name_changes_.push_back({path, nullptr});
    return 0;
  }

  [[nodiscard]] expected<std::vector<internal::JournalSegment>, int> list() const override {
    if (const int error = fault(); error != 0) return unexpected<int>{error};
    std::vector<internal::JournalSegment> out;
    for (const auto& [path, content] : names_) {
      const auto first = std::stoull(path.substr(path.rfind('/') + 1));
      out.push_back({first, path, content->now.size(), written_at});
    }
    return out;
  }
  [[nodiscard]] expected<std::unique_ptr<std::istream>, int> read(
      const std::string& path) const override {
    if (const int error = fault(); error != 0) return unexpected<int>{error};
    const auto found = names_.find(path);
    if (found == names_.end()) return unexpected<int>{ENOENT};
    return std::make_unique<Input>(found->second->now, *this);
  }
  expected<std::unique_ptr<File>, int> open(const std::string& path, Open how) override {
    if (const int error = fault(); error != 0) return unexpected<int>{error};
    auto& content = names_[path];
    if (!content && how == Open::existing) {
      names_.erase(path);
      return unexpected<int>{ENOENT};
    }
    if (!content) {
      content = std::make_shared<Content>();
      name_changes_.push_back({path, content});
    }
    return std::make_unique<SimFile>(*this, path, content);
  }

 private:
  struct Change {
    bool cut = false;
    std::size_t at = 0;
    std::string bytes = {};
  };
  struct Content {
    std::string now = {};
    std::string safe = {};
    std::vector<Change> changes = {};  ///< Since the last sync.
  };
  struct NameChange {
    std::string path = {};
    std::shared_ptr<Content> content = {};  ///< Null: removed.
  };

  class SimFile final : public File {
   public:
    SimFile(SimDisk& disk, std::string path, std::shared_ptr<Content> content)
        : disk_(disk), path_(std::move(path)), content_(std::move(content)) {}
    Written append(std::string_view bytes) override {
      if (program_ != disk_.program_) return {bytes.size(), 0};
      const int error = disk_.fault();
      if (error != 0) bytes = bytes.substr(0, disk_.below(bytes.size() + 1));
      content_->changes.push_back({false, content_->now.size(), std::string{bytes}});
      content_->now += bytes;
      return {bytes.size(), error};
    }
    int cut(std::uint64_t size) override {
      if (const int error = disk_.fault(); error != 0) return error;
      content_->now.resize(size);
      content_->changes.push_back({true, size, {}});
      return 0;
    }
    // After a sync that failed the kernel may forget what it could not write.
    int sync() override {
      if (program_ != disk_.program_) return 0;
      const int error = disk_.fault();
      if (error == 0) content_->safe = content_->now;
      if (error == 0) content_->changes.clear();
      return error;
    }
    [[nodiscard]] bool has_name() const override {
      const auto found = disk_.names_.find(path_);
      return found != disk_.names_.end() && found->second == content_;
    }

   private:
    SimDisk& disk_;
    std::string path_;
    std::shared_ptr<Content> content_;
    std::uint64_t program_ = disk_.program_;
  };

  /// The bytes as they are when it is opened; a fault breaks off the reading.
  class Buffer : public std::stringbuf {
   public:
    Buffer(const std::string& bytes, const SimDisk& disk) : std::stringbuf(bytes), disk_(disk) {}

   protected:
    std::streamsize xsgetn(char* to, std::streamsize count) override {
      if (disk_.fault() != 0) throw EIO;
      return std::stringbuf::xsgetn(to, count);
    }

   private:
    const SimDisk& disk_;
  };
  class Input final : private Buffer, public std::istream {
   public:
    Input(const std::string& bytes, const SimDisk& disk)
        : Buffer(bytes, disk), std::istream(static_cast<Buffer*>(this)) {}
  };

  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>{0, end - 1}(random_);
  }
  /// From nothing of what was not synced to all of it, by the loss of power.
  bool survives() { return below(4) < static_cast<std::size_t>(keep_); }

  void tear(Content& content) {
    constexpr std::size_t sector = 512;
    auto after = content.safe;
    for (const auto& change : content.changes) {
      if (change.cut && survives()) after.resize(std::min(after.size(), change.at));
      for (std::size_t from = 0; from < change.bytes.size();) {
        const auto at = change.at + from;
        const auto size = std::min(change.bytes.size() - from, sector - at % sector);
        if (survives()) {
          if (after.size() < at + size) after.resize(at + size, '\0');
          after.replace(at, size, change.bytes, from, size);
        }
        from += size;
      }
    }
    // The size may be on the disk before the bytes are.
    if (after.size() < content.now.size() && below(4) == 0) after.resize(content.now.size(), '\0');
    content = {after, after, {}};
  }

  std::mt19937_64 random_;
  std::map<std::string, std::shared_ptr<Content>> names_ = {};
  std::map<std::string, std::shared_ptr<Content>> safe_names_ = {};
  std::vector<NameChange> name_changes_ = {};
  std::uint64_t program_ = 0;
  int keep_ = 0;
};

}  // namespace espalier::supervisor
