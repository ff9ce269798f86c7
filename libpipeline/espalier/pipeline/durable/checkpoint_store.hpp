#pragma once

#include "espalier/pipeline/run/runner.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// Values as text, for a store. Both may throw; what `encode` throws fails the item's `accepted`.
/// `stage`: the one that is to work on the value.
struct CheckpointCodec {
  std::function<std::string(const Value& value, const std::string& stage)> encode = {};
  std::function<Value(const std::string& text, const std::string& stage)> decode = {};
};

struct CheckpointOptions {
  std::string path = {};
  CheckpointCodec codec = {};
  /// Called after the commit that holds the end of a fed item, on the store's thread: now whoever
  /// sent it may forget it. Must be quick and must not throw.
  std::function<void(const std::string& key, Outcome outcome)> on_ended = {};
};

/// An item in a store.
struct StoredItem {
  std::string key = {};
  std::string stage = {};  ///< Where it waits, or has failed.
  Value value = {};        ///< What that stage is given.
  std::string error = {};  ///< Of a dead letter: why it failed.
  std::string error_type = {};
  std::uint32_t attempts = 0;
};

/// Keeps the items of a pipeline in an SQLite file, so that a run that was stopped or killed goes
/// on where each item was.
///
/// The problem: a process may be gone between any two instructions, and a commit that survives a
/// power cut costs a millisecond. So items are committed in groups by one thread: `accepted` waits
/// for the commit, moves and ends do not.
///
/// Promises: an item is in the file when `accepted` returns, until it has ended. It is done at
/// least once; only what was under way at a crash is done again, and under the same key. The key
/// is `ItemInfo::id`; an item without one gets a key that nobody else has ("#17"). Cancelled items
/// have not ended: they are resumed.
///
/// Where a pipeline combines items or takes them apart (batch, window, flat_map, broadcast), an
/// item is resumed at the stage where that begins, with what that stage was given. With
/// keep_results == false it has ended when the last thing that came of it has. Where results are
/// kept, items of such a pipeline count as ended only at `finish`: after a kill all that were
/// accepted in that run are done again from there, those whose results were taken included.
///
/// A file that is damaged, is not ours, is of a newer release or in use is left as it is.
/// Thread-safe. Cost: one thread; about 3 us an item and move, one commit (0.2 to 30 ms) for all
/// that gathered during the one before.
class CheckpointStore : public ProgressSink {
 public:
  /// Makes the file when there is none. `plan`: of the pipeline; only its shape and names are used.
  [[nodiscard]] static expected<std::shared_ptr<CheckpointStore>, std::string> open(
      CheckpointOptions options, const Plan& plan);
  /// Commits what has gathered.
  ~CheckpointStore() override;

  // --- As a ProgressSink; give it to Runner::keep_safe_with.

  /// Throws std::runtime_error when the file cannot be written, and for a key that has ended.
  void accepted(NodeId node, const std::vector<Item>& items, ItemSeq first) override;
  void moved(NodeId node, const Item& item) override;
  void ended(const Item& item, Outcome outcome) override;

  // --- Before feeding.

  enum class Known : std::uint8_t {
    no,      ///< Feed it.
    open,    ///< Accepted before and not ended: it is among `resume`, or under way.
    ended,   ///< Done before; it need not be fed again.
    failed,  ///< A dead letter; see `replay`.
  };
  [[nodiscard]] Known find(const std::string& key);
  /// Every unfinished item, in the order of acceptance; feed each at its stage, with its key as id.
  /// Throws what `decode` throws.
  [[nodiscard]] std::vector<StoredItem> resume();

  // --- Dead letters.

  [[nodiscard]] std::vector<StoredItem> dead_letters();
  /// Makes dead letters unfinished again; empty: all of them. How many it were.
  std::size_t replay(const std::vector<std::string>& keys);

  // --- Keeping house.

  /// All accepted items have ended: say so after a drain, and not when anything was cancelled.
  void finish();
  /// Waits until all that was told is committed. False: it could not be; see `problem`.
  bool flush();
  /// Forgets items that have ended so long ago, dead letters only if told so. How many.
  std::size_t prune(Duration older_than, bool dead_letters_too);
  struct Sizes {
    std::uint64_t open = 0;
    std::uint64_t ended = 0;
    std::uint64_t failed = 0;
  };
  [[nodiscard]] Sizes sizes();
  /// Why the file can no longer be written; empty: it can.
  [[nodiscard]] std::string problem() const;

 private:
  class Impl;
  explicit CheckpointStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::pipeline
