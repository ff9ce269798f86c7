#pragma once

#include "espalier/supervisor/core/expected.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace espalier::supervisor {

namespace internal {
class JournalDisk;
}

/// What stands at one place of a journal.
struct JournalItem {
  enum class Kind : std::uint8_t {
    event,    ///< `text` is its line of JSON, as it stands.
    damage,   ///< A line that is not as it was written; `text` says what is wrong.
    missing,  ///< Lines `position` to `last` are not there: removed for their age, or lost.
  };
  Kind kind = Kind::event;
  std::uint64_t position = 0;  ///< 0 where it is not known.
  std::uint64_t last = 0;      ///< Of missing ones.
  std::string text = {};
  std::string file = {};
  std::uint64_t line = 0;  ///< In the file, from 1.
};

/// Where to begin; events before it are left out.
struct JournalStart {
  std::uint64_t position = 0;
  std::string at = {};  ///< RFC 3339, UTC: the events of that time and later.
};

/// Reads a journal that JournalFile writes, from its first line to its last, over all its files,
/// also while it is written: nothing more now does not mean nothing more later.
///
/// Damage stops nothing: each line that is not right is told with its place, and reading goes on
/// after it. A line that is still being written is no damage. Not thread-safe; changes nothing.
/// Cost: with a start, it reads from the file on that has it.
class JournalReader {
 public:
  /// The sentence says why there is no journal to be read. `disk` takes the place of the real one
  /// in tests.
  [[nodiscard]] static expected<JournalReader, std::string> open(
      const std::string& folder, JournalStart start = {},
      std::shared_ptr<const internal::JournalDisk> disk = {});
  ~JournalReader();
  JournalReader(JournalReader&&) noexcept;
  JournalReader& operator=(JournalReader&&) noexcept;

  /// The next item; nothing where there is no more now.
  [[nodiscard]] std::optional<JournalItem> next();

  /// Bytes of a last line that is not whole: it is being written, or its writing was cut off.
  [[nodiscard]] std::uint64_t unfinished_bytes() const;
  [[nodiscard]] std::uint64_t files_read() const;
  [[nodiscard]] std::uint64_t bytes_read() const;

 private:
  class Impl;
  explicit JournalReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::supervisor
