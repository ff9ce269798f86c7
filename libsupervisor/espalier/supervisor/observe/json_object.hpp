#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/observe/json_text.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace espalier::supervisor::json {

/// RFC 3339, UTC, microseconds, without quotes: "2025-11-21T12:00:01.123456Z".
void append_timestamp(std::string& out, std::chrono::system_clock::time_point at);

/// Milliseconds as a JSON number, exact to the nanosecond: 1500, 0.25, -3.
void append_ms(std::string& out, Duration d);

/// Writes one JSON object into a string; open from construction to destruction. Keys are ours and
/// need no escapes.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  ~JsonObject() { out_ += '}'; }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  void text(std::string_view key, std::string_view value) {
    append_json_string(this->key(key), value);
  }
  template <std::integral T>
  void number(std::string_view key, T value) {
    if constexpr (std::signed_integral<T>) {
      append_number(this->key(key), static_cast<std::int64_t>(value));
    } else {
      append_number(this->key(key), static_cast<std::uint64_t>(value));
    }
  }
  void flag(std::string_view key, bool value) { this->key(key) += value ? "true" : "false"; }
  void ms(std::string_view key, Duration value) { append_ms(this->key(key), value); }
  void time(std::string_view key, std::chrono::system_clock::time_point value) {
    this->key(key) += '"';
    append_timestamp(out_, value);
    out_ += '"';
  }
  /// For a value that the caller appends to the result.
  [[nodiscard]] std::string& key(std::string_view name) {
    append_key(out_, name, first_);
    first_ = false;
    return out_;
  }
  /// An array whose elements `append(out, element)` writes.
  template <class Range, class Append>
  void array(std::string_view name, const Range& range, Append append) {
    key(name) += '[';
    bool first = true;
    for (const auto& element : range) {
      if (!first) out_ += ',';
      first = false;
      append(out_, element);
    }
    out_ += ']';
  }

 private:
  std::string& out_;
  bool first_ = true;
};

/// "correlation_id": the trace id of the incident; nothing if there is no chain.
void add_correlation(JsonObject& json, const Event& event);

}  // namespace espalier::supervisor::json
