#pragma once

#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/observe/internal/journal_folder.hpp"

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::supervisor::internal {

/// All that a journal does to a disk: the files of one folder.
///
/// The problem: what a journal is worth shows when the disk is full, fails or loses its power, and
/// no test can ask that of a real one. So the journal knows only this, and tests put a disk in its
/// place that fails at any call and forgets what was not synced.
///
/// Errors are those of errno, 0: done. Not thread-safe.
class JournalDisk {
 public:
  struct Written {
    std::size_t bytes = 0;  ///< Fewer than asked for only with an error.
    int error = 0;
  };
  /// A file that is written at its end.
  class File {
   public:
    virtual ~File() = default;
    [[nodiscard]] virtual Written append(std::string_view bytes) = 0;
    [[nodiscard]] virtual int cut(std::uint64_t size) = 0;
    /// What it holds is safe from a loss of power, its name need not be.
    [[nodiscard]] virtual int sync() = 0;
    /// Nobody removed it.
    [[nodiscard]] virtual bool has_name() const = 0;
  };
  enum class Open : std::uint8_t { existing, create };

  virtual ~JournalDisk() = default;
  /// Makes the folder where it is not there, and its name safe; keeps every other writer out until
  /// `leave`. EWOULDBLOCK: another one is in.
  [[nodiscard]] virtual int enter() = 0;
  virtual void leave() = 0;
  [[nodiscard]] virtual expected<std::vector<JournalSegment>, int> list() const = 0;
  [[nodiscard]] virtual expected<std::unique_ptr<std::istream>, int> read(
      const std::string& path) const = 0;
  [[nodiscard]] virtual expected<std::unique_ptr<File>, int> open(const std::string& path,
                                                                  Open how) = 0;
  [[nodiscard]] virtual int remove(const std::string& path) = 0;
  /// The names in the folder are safe from a loss of power.
  [[nodiscard]] virtual int sync_folder() = 0;
};

/// The real one. Links are not followed, and others than the user and its group see nothing.
[[nodiscard]] std::shared_ptr<JournalDisk> disk_of(std::string folder);

}  // namespace espalier::supervisor::internal
