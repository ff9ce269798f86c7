#pragma once

#include "espalier/pipeline/durable/checkpoint_store.hpp"
#include "espalier/pipeline/durable/internal/sqlite.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace espalier::pipeline::internal {

/// One change to the file.
struct CheckpointChange {
  enum class Kind : std::uint8_t {
    insert,  ///< A row: key, stage, value.
    move,    ///< Waits at `stage` with `value` now.
    end,  ///< Has ended as `outcome`. A dead letter has `value`, at `stage`; no stage: as it was.
    remove,  ///< Was never accepted.
  };
  Kind kind = Kind::insert;
  std::int64_t row = 0;
  std::string key = {};
  std::string stage = {};
  std::string value = {};
  Outcome outcome = Outcome::succeeded;  ///< Of an end; cancelled items do not end.
  std::string error = {};
  std::string error_type = {};
  std::uint32_t attempts = 0;
};

/// A row as it is read.
struct CheckpointRow {
  std::int64_t row = 0;
  std::string key = {};
  std::string stage = {};
  std::string value = {};
  std::string error = {};
  std::string error_type = {};
  std::uint32_t attempts = 0;
};

/// Holds the file against other processes as long as it lives (flock on a file beside it: the
/// locks of SQLite itself would keep readers out as well).
class FileLock {
 public:
  /// Throws std::runtime_error that says who holds it.
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

/// The file of a CheckpointStore: what its tables are, and each thing done to them. Throws
/// SqliteError, or std::runtime_error where a file is refused. One thread at a time.
class CheckpointFile {
 public:
  static constexpr std::int64_t application = 0x45737043;  ///< "EspC"
  static constexpr std::int64_t version = 1;

  explicit CheckpointFile(const std::string& path);

  /// All of them in one transaction, which is on the disk when this returns.
  void commit(const std::vector<CheckpointChange>& changes);
  [[nodiscard]] CheckpointStore::Known find(const std::string& key);
  [[nodiscard]] std::vector<CheckpointRow> rows(const char* state);
  /// Empty key: all dead letters.
  std::size_t replay(const std::string& key);
  std::size_t prune(std::int64_t before_ms, bool dead_letters_too);
  [[nodiscard]] CheckpointStore::Sizes sizes();
  [[nodiscard]] std::int64_t highest_row() { return database_.number("SELECT max(id) FROM items"); }

 private:
  struct Statements;
  [[nodiscard]] static Database open(const std::string& path);
  void apply(const CheckpointChange& change, std::int64_t now_ms);

  FileLock lock_;
  Database database_;
  std::shared_ptr<Statements> statements_;  ///< Closed before the database.
};

[[nodiscard]] std::int64_t unix_ms();

}  // namespace espalier::pipeline::internal
