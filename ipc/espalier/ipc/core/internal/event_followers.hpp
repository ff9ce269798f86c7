#pragma once

#include "espalier/ipc/core/internal/event_order.hpp"
#include "espalier/ipc/core/internal/kept_events.hpp"
#include "espalier/ipc/core/internal/push_line.hpp"
#include "espalier/ipc/core/internal/reader_news.hpp"
#include "espalier/supervisor/core/backpressure.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace espalier::ipc::internal {

/// Who follows events. A reader that begins in the past is first led through what is kept, a piece
/// at a time, as fast as it takes the lines; then it gets what the others get. `cursor` is the last
/// sequence it was given or told to miss, so nothing comes twice and nothing is skipped in silence.
///
/// What waits for a reader decides what becomes of the next event: nobody is waited for. A reader
/// that blocks is led through what is kept, like one that begins in the past, and misses nothing
/// that is still there when it comes to it.
class EventFollowers {
 public:
  EventFollowers(Target& target, const supervisor::BackpressureSpec& backpressure)
      : target_(target), backpressure_(backpressure), news_(backpressure.audit_channel_capacity) {}

  /// `released`: where the live feed stands. The result is where this reader begins.
  [[nodiscard]] expected<Cursor, WireError> add(Follower who, const EventsSubscribeParams& params,
                                                std::uint64_t released, supervisor::TimePoint now);
  [[nodiscard]] bool remove(ConnectionId connection, const std::string& id);
  void close(ConnectionId connection);
  [[nodiscard]] bool empty() const { return followers_.empty(); }

  /// Hands out what the live feed gave. Connections that got something are added to `touched`.
  void deliver(const std::vector<OrderedItem>& items, supervisor::TimePoint now,
               std::set<ConnectionId>& touched);
  /// Leads on those that are not with the live feed yet.
  void catch_up(std::uint64_t released, supervisor::TimePoint now, std::set<ConnectionId>& touched);
  /// Leads all of them to the end at once.
  void finish(std::uint64_t released, std::set<ConnectionId>& touched);
  /// Everybody, for the last line.
  void end(const std::string& reason, std::set<ConnectionId>& touched);
  [[nodiscard]] std::optional<supervisor::TimePoint> deadline() const;
  /// About readers that are too slow, since the last call.
  [[nodiscard]] std::vector<ReaderNews> take_news() { return news_.take(); }

 private:
  struct Entry {
    Follower who = {};
    supervisor::EventFilter filter = {};
    std::uint64_t cursor = 0;
    std::optional<std::uint64_t> position = {};  ///< Where it reads what is kept; absent: live.
    bool from_other_epoch = false;               ///< To be told.
    supervisor::Backpressure backpressure;
    LeftOut left_out = {};  ///< Not yet told.
  };
  /// One piece; false: nothing was pushed.
  bool step(Entry& entry, std::uint64_t released);
  bool give(Entry& entry, const supervisor::Event& event,
            std::shared_ptr<const std::string>& tail) const;
  /// What `give` does, unless too much waits already.
  bool offer(Entry& entry, const supervisor::Event& event, supervisor::TimePoint now,
             std::shared_ptr<const std::string>& tail);
  void block(Entry& entry, supervisor::TimePoint now);
  void tell_left_out(Entry& entry);

  Target& target_;
  supervisor::BackpressureSpec backpressure_;
  NewsOfReaders news_;
  std::vector<Entry> followers_ = {};
  std::optional<supervisor::TimePoint> retry_at_ = {};
};

}  // namespace espalier::ipc::internal
