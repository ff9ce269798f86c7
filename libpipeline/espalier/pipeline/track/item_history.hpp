#pragma once

#include "espalier/pipeline/track/error_summary.hpp"
#include "espalier/pipeline/track/naming.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// What is kept of a run. What is above goes, items that ended longest ago first, in groups of up
/// to 64 neighbours; numbers (stats, totals of errors) count what has gone too.
struct HistoryLimits {
  std::size_t items = 100'000;
  Duration age = {};           ///< Since an item ended; zero: no limit.
  std::size_t failed = 1'000;  ///< Failed items with their errors.
};

/// Remembers what happened to the items of one run.
///
/// Neighbours usually share their fate: what comes as one event for a run of items is kept as one
/// record, in the block of 64 sequence numbers it belongs to, and becomes events of single items
/// when somebody asks. An item is open until it failed, was skipped or cancelled, or has left the
/// pipeline; an event after that opens it again (a skipped item that goes on to the next stage).
///
/// Pure, one caller at a time. Cost: O(items / 64) per event plus a byte per item; a question about
/// one item costs the records of its block, numbers cost nothing, `by_status` looks at all items.
class ItemHistory {
 public:
  explicit ItemHistory(HistoryLimits limits) : limits_(limits) {}

  /// A new run: forgets everything.
  void start(Naming naming);
  /// Remembers an event of Kind::status. False: it says nothing new, only that the items have left
  /// the pipeline.
  bool apply(const TrackEvent& event);
  /// Appends what `apply` has just remembered, one event for each item.
  void expand(const TrackEvent& event, std::vector<StatusEvent>& into) const;
  /// Applies the limits. To be called now and then; what is above is kept until then.
  void forget(TimePoint now);

  /// The item of that id; of several, the one that was fed last.
  [[nodiscard]] std::optional<ItemSeq> find(const std::string& id) const;
  [[nodiscard]] std::optional<StatusEvent> last(ItemSeq seq) const;
  [[nodiscard]] std::vector<StatusEvent> all(ItemSeq seq) const;
  /// The last events of the items that are there now, at most so many, in order of feeding.
  [[nodiscard]] std::vector<StatusEvent> by_status(Status status, std::size_t most) const;
  /// The last events of the items that changed last, newest first. O(most).
  [[nodiscard]] std::vector<StatusEvent> recent(std::size_t most) const;
  [[nodiscard]] const StatusStats& stats() const { return stats_; }
  [[nodiscard]] ErrorSummary errors(std::size_t most) const;
  /// The failed items that are kept, oldest first; of more than `most` the newest.
  [[nodiscard]] std::vector<FailedItem> failed(std::size_t most) const;
  [[nodiscard]] const Naming& naming() const { return naming_; }
  [[nodiscard]] std::size_t kept() const { return kept_; }
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  static constexpr std::size_t block_size = 64;
  static constexpr std::size_t block_records =
      4096;  ///< An item that is tried for ever has an end.
  using Error = std::pair<std::string, std::string>;
  struct Record {
    TimePoint at = {};
    Duration took = {};
    std::uint32_t worker = 0;
    NodeId node = 0;
    std::uint16_t attempt = 0;
    std::uint16_t error = 0;  ///< Place in the errors of the block, from 1; zero: none.
    Status status = Status::queued;
    std::uint8_t first = 0;  ///< Items of the block, both included.
    std::uint8_t last = 0;
    [[nodiscard]] bool covers(std::size_t item) const { return first <= item && item <= last; }
  };
  struct ItemState {
    Status status = Status::queued;
    bool known = false;
    bool open = false;
  };
  struct Block {
    std::array<ItemState, block_size> items = {};
    std::vector<Record> records = {};
    std::vector<std::shared_ptr<const Error>> errors = {};
    std::unique_ptr<std::array<std::shared_ptr<const ItemInfo>, block_size>> infos = {};
    std::size_t known = 0;
    std::size_t open = 0;
    TimePoint ended = {};  ///< When the last one did; while none is open.
  };
  /// The items of one event in one block.
  struct Span {
    std::uint64_t block = 0;
    std::size_t first = 0;
    std::size_t last = 0;
  };
  template <class Do>
  void for_each_span(const TrackEvent& event, Do act);
  [[nodiscard]] bool is_mere_exit(const TrackEvent& event, const Span& span) const;
  [[nodiscard]] const Block* block_of(ItemSeq seq) const;
  [[nodiscard]] Block& block_for(std::uint64_t number);
  void apply(const TrackEvent& event, const Span& span, bool is_news);
  void set(Block& block, std::size_t item, Status status, bool open);
  static void remember(Block& block, const TrackEvent& event, const Span& span);
  static void halve(Block& block);
  void learn(Block& block, const TrackEvent& event, const Span& span);
  void add_failure(const TrackEvent& event);
  void drop(std::map<std::uint64_t, Block>::iterator block);
  static void add_times(StatusEvent& event, const Record& record, const Record& before);
  [[nodiscard]] StatusEvent event_of(std::uint64_t number, const Block& block, std::size_t item,
                                     std::size_t record) const;
  [[nodiscard]] std::optional<StatusEvent> last_of(std::uint64_t number, const Block& block,
                                                   std::size_t item) const;

  HistoryLimits limits_;
  Naming naming_;
  std::map<std::uint64_t, Block> blocks_;
  Block* latest_ = nullptr;  ///< The one last used, number `latest_number_`.
  std::uint64_t latest_number_ = 0;
  std::set<std::pair<TimePoint, std::uint64_t>> ended_;  ///< Blocks without an open item.
  std::unordered_map<std::string_view, ItemSeq> ids_;    ///< Keys lie in the infos of the blocks.
  std::deque<std::pair<ItemSeq, std::uint32_t>> recent_;
  StatusStats stats_;
  std::deque<FailedItem> failed_;
  ErrorSummary totals_;  ///< Without items.
  std::size_t kept_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace espalier::pipeline
