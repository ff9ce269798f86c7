#pragma once

#include "espalier/ipc/core/internal/push_line.hpp"
#include "espalier/ipc/core/internal/state_texts.hpp"
#include "espalier/ipc/wire/messages.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace espalier::ipc::internal {

/// What a request for a state wants; the error names the field.
[[nodiscard]] expected<StateWant, WireError> want_of(
    const std::optional<std::string>& path, std::optional<std::uint64_t> depth,
    const std::optional<std::vector<std::string>>& include);

/// Who follows states: a line an interval at most, and only when something has changed. Of a
/// reader's snapshots only the newest waits. A reader of changes that has lost a line gets the
/// whole again, for changes after a hole would tell it something false.
class StateFollowers {
 public:
  explicit StateFollowers(StateTexts& texts) : texts_(texts) {}

  /// The result is the JSON of the answer.
  [[nodiscard]] expected<std::string, WireError> add(Follower who,
                                                     const StateSubscribeParams& params,
                                                     supervisor::TimePoint now, Timestamp wall);
  [[nodiscard]] bool remove(ConnectionId connection, const std::string& id);
  void close(ConnectionId connection);
  [[nodiscard]] bool empty() const { return followers_.empty(); }

  /// The result are those whose part of the tree is gone; they got their last line.
  using Ended = std::vector<std::pair<ConnectionId, std::string>>;
  [[nodiscard]] Ended tick(supervisor::TimePoint now, Timestamp wall,
                           std::set<ConnectionId>& touched);
  /// Once more, whether due or not; then everybody gets the last line.
  void end(const std::string& reason, supervisor::TimePoint now, Timestamp wall,
           std::set<ConnectionId>& touched);
  [[nodiscard]] std::optional<supervisor::TimePoint> deadline() const;

 private:
  struct Entry {
    Follower who = {};
    StateWant want = {};
    StateMode mode = StateMode::snapshot;
    supervisor::Duration interval = {};
    supervisor::TimePoint due = {};
    std::uint64_t mark = 0;        ///< Of the text that was looked at last.
    StateTexts::Marks marks = {};  ///< Of the line that was sent last; of deltas only.
    std::uint64_t dropped = 0;     ///< By its outbox, before that line.
    bool ended = false;
  };
  void step(Entry& entry, supervisor::TimePoint now, Timestamp wall,
            std::set<ConnectionId>& touched);
  void send_whole(Entry& entry, const StateTexts::Ptr& text);
  StateTexts& texts_;
  std::vector<Entry> followers_ = {};
  /// Of one tick: a tree that changes all the time is still looked at once for all.
  std::map<StateWant, std::optional<expected<StateTexts::Ptr, WireError>>> round_ = {};
};

}  // namespace espalier::ipc::internal
