#pragma once

#include "espalier/pipeline/core/item.hpp"
#include "espalier/pipeline/declare/pipeline_spec.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace espalier::cli {

/// An item that came to nothing, as a line of a dead-letter file:
///   {"id": "17", "line": 17, "stage": "fetch", "attempts": 3, "kind": "failed",
///    "type": "exit code 1", "error": "...", "input": {...}, "at": "2026-11-21T10:00:00.000Z"}
/// `kind` is failed, timed_out, circuit_open, refused or cancelled. A line of the input that could
/// not be read has `text` instead of `input`, and no stage.
struct DeadLetter {
  std::string id = {};
  std::uint64_t line = 0;
  std::string stage = {};
  std::uint32_t attempts = 0;
  std::string kind = {};
  std::string type = {};
  std::string error = {};
  std::optional<pipeline::Json> input = {};
  std::string text = {};

  [[nodiscard]] std::string to_line() const;
  /// Otherwise what is wrong with the line.
  [[nodiscard]] static expected<DeadLetter, std::string> parse(const std::string& line);
};

/// Adds dead letters to a file, or tells of the first few on standard error when there is none.
/// Thread-safe. A line is in the file when `add` returns.
class DeadLetterFile {
 public:
  /// Empty path: no file.
  [[nodiscard]] static expected<DeadLetterFile, std::string> open(const std::string& path);
  DeadLetterFile(DeadLetterFile&& other) noexcept
      : fd_(std::move(other.fd_)), path_(std::move(other.path_)) {}

  /// False: it could not be written.
  bool add(const DeadLetter& letter);
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  DeadLetterFile() = default;
  supervisor::UniqueFd fd_ = {};
  std::string path_ = {};
  mutable std::mutex mutex_ = {};
  std::uint64_t count_ = 0;
};

/// All of it, whatever it takes; false: an error, see errno.
[[nodiscard]] bool write_all(int fd, const std::string& text);

}  // namespace espalier::cli
