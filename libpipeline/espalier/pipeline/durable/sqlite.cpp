#include "espalier/pipeline/durable/internal/sqlite.hpp"

#include <sqlite3.h>

namespace espalier::pipeline::internal {

namespace {

[[noreturn]] void fail(sqlite3* handle, int code) {
  const char* const message = handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
  throw SqliteError(code, message);
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

Database::Database(const std::string& path, bool may_create) {
  sqlite3* handle = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (may_create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) fail(handle, code);
  sqlite3_busy_timeout(handle, 2000);  // For people who look with the sqlite3 program.
}

void Database::run(const char* sql) {
  const int code = sqlite3_exec(get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(get(), code);
}

std::int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.number(0) : 0;
}

std::string Database::text(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.text(0) : std::string();
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(get());
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(const Database& database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database.get(), sql, -1, &statement, nullptr);
  if (code != SQLITE_OK) fail(database.get(), code);
  statement_.reset(statement);
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) fail(sqlite3_db_handle(statement_.get()), code);
}

Statement& Statement::bind(int place, std::string_view text) {
  // A null pointer would bind NULL instead of the empty text.
  check(sqlite3_bind_text64(statement_.get(), place, text.empty() ? "" : text.data(), text.size(),
                            nullptr, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int place, std::int64_t number) {
  check(sqlite3_bind_int64(statement_.get(), place, number));
  return *this;
}

Statement& Statement::bind_null(int place) {
  check(sqlite3_bind_null(statement_.get(), place));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  auto* const handle = sqlite3_db_handle(statement_.get());
  const std::string message = code == SQLITE_DONE ? std::string() : sqlite3_errmsg(handle);
  sqlite3_reset(statement_.get());
  if (code != SQLITE_DONE) throw SqliteError(code, message);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

std::string Statement::text(int column) const {
  const auto* const bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  const auto size = sqlite3_column_bytes(statement_.get(), column);
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
}

}  // namespace espalier::pipeline::internal
