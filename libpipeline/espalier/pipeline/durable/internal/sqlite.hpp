#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace espalier::pipeline::internal {

/// What SQLite says went wrong.
class SqliteError : public std::runtime_error {
 public:
  SqliteError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] int code() const { return code_; }

 private:
  int code_;
};

/// A connection. All members throw SqliteError. One thread at a time.
class Database {
 public:
  Database(const std::string& path, bool may_create);
  void run(const char* sql);
  [[nodiscard]] std::int64_t number(const char* sql);
  [[nodiscard]] std::string text(const char* sql);
  /// Rows changed by the last statement.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] sqlite3* get() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement, used again and again: bind all, then `step` until it says false, or `run`.
class Statement {
 public:
  Statement(const Database& database, const char* sql);
  Statement& bind(int place, std::string_view text);  ///< Must live until the next step.
  Statement& bind(int place, std::int64_t number);
  Statement& bind_null(int place);
  /// True: there is a row. False: it is over, and may be bound anew.
  [[nodiscard]] bool step();
  /// For statements without rows.
  void run();
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;
  void reset();

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  void check(int code) const;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace espalier::pipeline::internal
