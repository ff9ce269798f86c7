#include "espalier/pipeline/durable/internal/checkpoint_file.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace espalier::pipeline::internal {

namespace {

constexpr const char* schema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE items ("
    "  id INTEGER PRIMARY KEY,"    // order of acceptance
    "  key TEXT NOT NULL UNIQUE,"  // the idempotency key
    "  stage TEXT NOT NULL,"       // where it waits, or has failed
    "  value TEXT,"                // what that stage is given; null once it has ended well
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  state TEXT NOT NULL,"  // open, succeeded, skipped, failed
    "  error TEXT,"
    "  error_type TEXT,"
    "  updated_ms INTEGER NOT NULL);"  // since 1970, UTC
    "CREATE INDEX items_by_state ON items(state, updated_ms);"
    "PRAGMA application_id = 1165193283;"
    "PRAGMA user_version = 1;"
    "COMMIT;";
static_assert(CheckpointFile::application == 1165193283 && CheckpointFile::version == 1);

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error("checkpoint " + path + ": " + why);
}

void check_ours(Database& database, const std::string& path) {
  const auto application = database.number("PRAGMA application_id");
  const bool has_tables = database.number("SELECT count(*) FROM sqlite_master") > 0;
  if (application != CheckpointFile::application && (application != 0 || has_tables))
    refuse(path, "is a database of something else; choose another file, this one is left alone");
  const auto version = database.number("PRAGMA user_version");
  if (version > CheckpointFile::version) {
    refuse(path, "was written by a newer release (format " + std::to_string(version) +
                     ", this one knows " + std::to_string(CheckpointFile::version) +
                     "); use that release");
  }
  const auto health = database.text("PRAGMA quick_check(1)");
  if (health != "ok") {
    refuse(path, "is damaged (" + health +
                     "); it is left as it is. Move it away and begin anew, or take a copy back");
  }
  if (!has_tables) database.run(schema);
}

const char* word(Outcome outcome) {
  return outcome == Outcome::failed    ? "failed"
         : outcome == Outcome::skipped ? "skipped"
                                       : "succeeded";
}

}  // namespace

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

FileLock::FileLock(const std::string& path) {
  const auto name = path + ".lock";
  fd_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0)
    refuse(path, "cannot be opened: " + std::generic_category().message(errno) + " (" + name + ")");
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> owner{};
    static_cast<void>(!::read(fd_, owner.data(), owner.size() - 1));
    ::close(fd_);
    refuse(path, "is in use by process " + std::string(owner.data()) +
                     "; wait for its end, or use another file");
  }
  const auto pid = std::to_string(::getpid());
  static_cast<void>(!::ftruncate(fd_, 0));
  static_cast<void>(!::write(fd_, pid.data(), pid.size()));
}

FileLock::~FileLock() {
  ::close(fd_);
}

struct CheckpointFile::Statements {
  explicit Statements(const Database& database)
      : insert(database,
               "INSERT INTO items(id, key, stage, value, state, updated_ms)"
               " VALUES(?1, ?2, ?3, ?4, 'open', ?5)"),
        move(database, "UPDATE items SET stage = ?2, value = ?3, updated_ms = ?4 WHERE id = ?1"),
        end(database,
            "UPDATE items SET state = ?2, stage = ifnull(?3, stage), error = ?5,"
            " value = CASE ?2 WHEN 'failed' THEN ifnull(?4, value) END,"
            " error_type = ?6, attempts = ?7, updated_ms = ?8 WHERE id = ?1"),
        remove(database, "DELETE FROM items WHERE id = ?1"),
        find(database, "SELECT state FROM items WHERE key = ?1"),
        rows(database,
             "SELECT id, key, stage, value, error, error_type, attempts FROM items"
             " WHERE state = ?1 ORDER BY id"),
        replay(database,
               "UPDATE items SET state = 'open', error = NULL, error_type = NULL, updated_ms = ?2"
               " WHERE state = 'failed' AND (?1 = '' OR key = ?1)"),
        prune(database,
              "DELETE FROM items WHERE updated_ms <= ?1 AND"
              " (state IN ('succeeded', 'skipped') OR (?2 AND state = 'failed'))") {}
  Statement insert;
  Statement move;
  Statement end;
  Statement remove;
  Statement find;
  Statement rows;
  Statement replay;
  Statement prune;
};

Database CheckpointFile::open(const std::string& path) {
  std::error_code unknown;
  const bool is_new =
      !std::filesystem::exists(path, unknown) || std::filesystem::file_size(path, unknown) == 0;
  try {
    Database database(path, is_new);
    check_ours(database, path);
    database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    return database;
  } catch (const SqliteError& error) {
    if (error.code() == SQLITE_NOTADB)
      refuse(path, "is no checkpoint file; choose another one, this one is left alone");
    if (error.code() == SQLITE_CORRUPT) {
      refuse(path,
             "is damaged; it is left as it is. Move it away and begin anew, or take a copy back");
    }
    refuse(path, std::string("cannot be used: ") + error.what());
  }
}

CheckpointFile::CheckpointFile(const std::string& path)
    : lock_(path), database_(open(path)), statements_(std::make_shared<Statements>(database_)) {}

void CheckpointFile::apply(const CheckpointChange& change, std::int64_t now_ms) {
  using Kind = CheckpointChange::Kind;
  auto& to = *statements_;
  switch (change.kind) {
    case Kind::insert:
      to.insert.bind(1, change.row).bind(2, change.key).bind(3, change.stage);
      to.insert.bind(4, change.value).bind(5, now_ms).run();
      return;
    case Kind::move:
      to.move.bind(1, change.row).bind(2, change.stage).bind(3, change.value);
      to.move.bind(4, now_ms).run();
      return;
    case Kind::remove:
      to.remove.bind(1, change.row).run();
      return;
    case Kind::end: {
      const bool failed = change.outcome == Outcome::failed;
      to.end.bind(1, change.row).bind(2, word(change.outcome)).bind(7, change.attempts);
      to.end.bind(8, now_ms);
      to.end.bind_null(3).bind_null(4).bind_null(5).bind_null(6);
      if (failed) to.end.bind(5, change.error).bind(6, change.error_type);
      if (failed && !change.stage.empty()) to.end.bind(3, change.stage).bind(4, change.value);
      to.end.run();
      return;
    }
  }
}

void CheckpointFile::commit(const std::vector<CheckpointChange>& changes) {
  const auto now_ms = unix_ms();
  database_.run("BEGIN IMMEDIATE");
  try {
    for (const auto& change : changes)
      apply(change, now_ms);
    database_.run("COMMIT");
  } catch (...) {
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

CheckpointStore::Known CheckpointFile::find(const std::string& key) {
  using Known = CheckpointStore::Known;
  auto& find = statements_->find.bind(1, key);
  if (!find.step()) return Known::no;
  const auto state = find.text(0);
  find.reset();
  return state == "open" ? Known::open : state == "failed" ? Known::failed : Known::ended;
}

std::vector<CheckpointRow> CheckpointFile::rows(const char* state) {
  std::vector<CheckpointRow> found;
  auto& rows = statements_->rows.bind(1, state);
  while (rows.step()) {
    found.push_back({rows.number(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4),
                     rows.text(5), static_cast<std::uint32_t>(rows.number(6))});
  }
  return found;
}

std::size_t CheckpointFile::replay(const std::string& key) {
  statements_->replay.bind(1, key).bind(2, unix_ms()).run();
  return static_cast<std::size_t>(database_.changes());
}

std::size_t CheckpointFile::prune(std::int64_t before_ms, bool dead_letters_too) {
  statements_->prune.bind(1, before_ms).bind(2, dead_letters_too ? 1 : 0).run();
  return static_cast<std::size_t>(database_.changes());
}

CheckpointStore::Sizes CheckpointFile::sizes() {
  const auto count = [this](const char* sql) {
    return static_cast<std::uint64_t>(database_.number(sql));
  };
  return {count("SELECT count(*) FROM items WHERE state = 'open'"),
          count("SELECT count(*) FROM items WHERE state IN ('succeeded', 'skipped')"),
          count("SELECT count(*) FROM items WHERE state = 'failed'")};
}

}  // namespace espalier::pipeline::internal
