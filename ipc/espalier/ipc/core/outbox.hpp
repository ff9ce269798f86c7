#pragma once

#include "espalier/ipc/wire/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace espalier::ipc {

/// Lines that wait for one reader, bounded (control C6). Answers are never dropped: where they do
/// not fit the connection has to go. Pushed lines are: the oldest first, and a gap line stands
/// where they were.
///
/// `max_bytes` is for a reader that falls behind. While nothing that was begun waits to be sent a
/// line of any size is taken, so a large tree can be told at all; held are at most twice
/// `max_bytes` and one line.
///
/// Lines can be shared by many outboxes: the text of an event is made once.
/// Cost: O(1) a line; `drop` looks at all that wait.
class Outbox {
 public:
  Outbox(std::size_t max_bytes, std::size_t max_pushed)
      : max_bytes_(max_bytes), max_pushed_(max_pushed) {}

  /// A line without its newline. False: it does not fit; the reader is too slow to be kept.
  [[nodiscard]] bool answer(std::string line);
  /// A line of a subscription. `head` and `tail` are joined on the wire: what is this reader's own,
  /// and what all readers share. `sequence` of the event, 0 for lines that have none; of a line
  /// that stands for several it is the last, and `first` the first.
  void push(const std::string& subscription_id, std::string head,
            std::shared_ptr<const std::string> tail, std::uint64_t sequence,
            std::uint64_t first = 0);
  /// Forgets what waits for a subscription.
  void drop(const std::string& subscription_id);

  /// What to write next, at most about `limit` bytes; empty: nothing. Stays until `sent`.
  [[nodiscard]] std::string_view pending(std::size_t limit = 256UL * 1024);
  void sent(std::size_t bytes);
  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t bytes() const { return waiting_ + writing_.size() - written_; }
  /// The same without pushed lines, but for those that are being written.
  [[nodiscard]] std::size_t answer_bytes() const { return answers_ + writing_.size() - written_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// How much of what may wait does, in thousandths: of the bytes or of the pushed lines.
  [[nodiscard]] std::size_t fill() const;

 private:
  struct Line {
    std::string head = {};
    std::shared_ptr<const std::string> tail = {};  ///< May be null.
    std::string subscription_id = {};              ///< Empty: an answer.
    std::uint64_t sequence = 0;
    std::uint64_t first = 0;
    std::uint64_t lost_from = 0;  ///< This line stands for lost ones: from, to, how many.
    std::uint64_t lost_to = 0;
    std::uint64_t lost_count = 0;
    [[nodiscard]] std::size_t size() const;
  };
  using Place = std::list<Line>::iterator;
  [[nodiscard]] bool make_room();
  void lose_oldest();
  void take_first();
  std::size_t max_bytes_;
  std::size_t max_pushed_;
  std::list<Line> lines_ = {};
  std::deque<Place> pushed_ = {};  ///< Pushed lines in `lines_`, oldest first; no gap lines.
  std::unordered_map<std::string, Place> gaps_ = {};  ///< By subscription, at most one each.
  std::string writing_ = {};                          ///< Taken from `lines_`, not yet all sent.
  std::size_t written_ = 0;
  std::size_t waiting_ = 0;  ///< Bytes in `lines_`.
  std::size_t answers_ = 0;  ///< Of them those of answers.
  std::uint64_t dropped_ = 0;
};

}  // namespace espalier::ipc
