#include "espalier/ipc/core/internal/subscriptions.hpp"

#include "espalier/ipc/core/internal/event_feed.hpp"
#include "espalier/ipc/core/internal/event_followers.hpp"
#include "espalier/ipc/core/internal/kept_events.hpp"
#include "espalier/ipc/core/internal/log_followers.hpp"
#include "espalier/ipc/core/internal/state_followers.hpp"
#include "espalier/ipc/core/internal/state_texts.hpp"
#include "espalier/ipc/wire/codec.hpp"

#include <map>
#include <set>
#include <utility>

namespace espalier::ipc::internal {

using supervisor::TimePoint;

namespace {

constexpr std::size_t most_subscriptions = 64;

template <Message T>
std::string text_of(const T& message) {
  std::string text;
  encode(text, message);
  return text;
}

}  // namespace

class Subscriptions::Impl {
 public:
  Impl(Target& target, const supervisor::BackpressureSpec& backpressure)
      : target_(target),
        texts_(target),
        states_(texts_),
        feed_(target),
        events_(target, backpressure),
        logs_(target) {}

  Result state(const StateParams& params, TimePoint now, Timestamp wall) {
    const auto want = want_of(params.path, params.depth, params.include);
    if (!want) return unexpected<WireError>(want.error());
    const auto text = texts_.get(*want, now, wall);
    if (!text) return unexpected<WireError>(text.error());
    std::string result = R"({"snapshot":)";
    result += *(*text)->tail;
    return result;
  }

  Result query(const EventsQueryParams& params) {
    const auto page = internal::query_events(target_, params);
    if (!page) return unexpected<WireError>(page.error());
    return text_of(*page);
  }

  Result subscribe_state(Recipient reader, const StateSubscribeParams& params, TimePoint now,
                         Timestamp wall) {
    auto who = follower(reader);
    if (!who) return unexpected<WireError>(who.error());
    const auto id = who->id;
    auto result = states_.add(std::move(*who), params, now, wall);
    if (result) keep(reader, id);
    return result;
  }

  Result subscribe_events(Recipient reader, const EventsSubscribeParams& params, TimePoint now) {
    auto who = follower(reader);
    if (!who) return unexpected<WireError>(who.error());
    const auto id = who->id;
    if (!feed_.running()) feed_.start(now);
    const auto begin = events_.add(std::move(*who), params, feed_.released(), now);
    if (begin) keep(reader, id);
    watch();
    if (!begin) return unexpected<WireError>(begin.error());
    return text_of(SubscribeResult{id, *begin});
  }

  Result tail_logs(Recipient reader, const LogsTailParams& params, TimePoint now) {
    const bool follows = params.follow.value_or(false);
    auto who = follows ? follower(reader) : expected<Follower, WireError>{Follower{}};
    if (!who) return unexpected<WireError>(who.error());
    if (!feed_.running()) feed_.start(now);
    const auto result = logs_.add(std::move(*who), params, feed_.released());
    if (result && result->subscription_id) keep(reader, *result->subscription_id);
    watch();
    if (!result) return unexpected<WireError>(result.error());
    return text_of(*result);
  }

  Result unsubscribe(ConnectionId connection, const UnsubscribeParams& params) {
    const auto& id = params.subscription_id;
    const auto found = connections_.find(connection);
    if (found == connections_.end() || !found->second.ids.contains(id)) {
      return unexpected<WireError>(
          WireError{.code = ErrorCode::not_found,
                    .stage = Stage::parameters,
                    .message = "params.subscription_id: this connection has no subscription '" +
                               id + "'; it may have ended"});
    }
    found->second.reader.outbox->drop(id);
    total_ -= found->second.ids.erase(id);
    if (!states_.remove(connection, id) && !events_.remove(connection, id)) {
      static_cast<void>(logs_.remove(connection, id));
    }
    watch();
    return "{}";
  }

  void close(ConnectionId connection) {
    total_ -= count(connection);
    connections_.erase(connection);
    touched_.erase(connection);
    states_.close(connection);
    events_.close(connection);
    logs_.close(connection);
    watch();
  }

  std::size_t count(ConnectionId connection) const {
    const auto found = connections_.find(connection);
    return found == connections_.end() ? 0 : found->second.ids.size();
  }

  void wake(TimePoint now) {
    if (!feed_.running()) return;
    const auto items = feed_.read(now);
    events_.deliver(items, now, touched_);
    events_.catch_up(feed_.released(), now, touched_);
    logs_.deliver(items, touched_);
  }

  void tick(TimePoint now, Timestamp wall) {
    wake(now);
    for (const auto& [connection, id] : states_.tick(now, wall, touched_))
      forget(connection, id);
  }

  std::optional<TimePoint> next_deadline() const {
    std::optional<TimePoint> result;
    for (const auto& at : {states_.deadline(), feed_.deadline(), events_.deadline()}) {
      if (at && (!result || *at < *result)) result = at;
    }
    return result;
  }

  void end(const std::string& reason, TimePoint now, Timestamp wall) {
    if (feed_.running()) {
      const auto items = feed_.read_all(now);
      events_.deliver(items, now, touched_);
      events_.finish(feed_.released(), touched_);
      logs_.deliver(items, touched_);
    }
    events_.end(reason, touched_);
    logs_.end(reason, touched_);
    states_.end(reason, now, wall, touched_);
    for (auto& [connection, record] : connections_)
      record.ids.clear();
    total_ = 0;
    watch();
  }

  [[nodiscard]] std::size_t total() const { return total_; }

  std::vector<ReaderNews> take_news() { return events_.take_news(); }

  std::vector<ConnectionId> touched() {
    const std::vector<ConnectionId> result{touched_.begin(), touched_.end()};
    touched_.clear();
    return result;
  }

 private:
  struct Connection {
    Recipient reader = {};
    std::uint64_t last_id = 0;
    std::set<std::string> ids = {};
  };

  expected<Follower, WireError> follower(const Recipient& reader) {
    if (count(reader.connection) >= most_subscriptions) {
      return unexpected<WireError>(
          WireError{.code = ErrorCode::limit_reached,
                    .stage = Stage::parameters,
                    .message = "this connection has " + std::to_string(most_subscriptions) +
                               " subscriptions, which is the most; unsubscribe from one first",
                    .retryable = true});
    }
    std::string id = std::to_string(connections_[reader.connection].last_id + 1);
    id.insert(id.begin(), 's');
    return Follower{std::move(id), reader};
  }

  void keep(const Recipient& reader, const std::string& id) {
    auto& connection = connections_[reader.connection];
    connection.reader = reader;
    connection.ids.insert(id);
    ++total_;
    ++connection.last_id;
  }

  void forget(ConnectionId connection, const std::string& id) {
    const auto found = connections_.find(connection);
    if (found != connections_.end()) total_ -= found->second.ids.erase(id);
  }

  // Whoever follows nothing costs nothing.
  void watch() {
    const bool lines = !logs_.empty();
    const bool events = lines || !events_.empty();
    if (!events) feed_.stop();
    if (events != watches_events_ || lines != watches_lines_) target_.watch(events, lines);
    watches_events_ = events;
    watches_lines_ = lines;
    if (states_.empty() && connections_.empty()) texts_.forget();
  }

  Target& target_;
  StateTexts texts_;
  StateFollowers states_;
  EventFeed feed_;
  EventFollowers events_;
  LogFollowers logs_;
  std::map<ConnectionId, Connection> connections_ = {};
  std::size_t total_ = 0;  ///< Ids of all of them.
  std::set<ConnectionId> touched_ = {};
  bool watches_events_ = false;
  bool watches_lines_ = false;
};

Subscriptions::Subscriptions(Target& target, const supervisor::BackpressureSpec& backpressure)
    : impl_(std::make_unique<Impl>(target, backpressure)) {}
Subscriptions::~Subscriptions() = default;

Subscriptions::Result Subscriptions::state(const StateParams& params, TimePoint now,
                                           Timestamp wall) {
  return impl_->state(params, now, wall);
}
Subscriptions::Result Subscriptions::query_events(const EventsQueryParams& params) {
  return impl_->query(params);
}
Subscriptions::Result Subscriptions::subscribe_state(Recipient reader,
                                                     const StateSubscribeParams& params,
                                                     TimePoint now, Timestamp wall) {
  return impl_->subscribe_state(reader, params, now, wall);
}
Subscriptions::Result Subscriptions::subscribe_events(Recipient reader,
                                                      const EventsSubscribeParams& params,
                                                      TimePoint now) {
  return impl_->subscribe_events(reader, params, now);
}
Subscriptions::Result Subscriptions::tail_logs(Recipient reader, const LogsTailParams& params,
                                               TimePoint now) {
  return impl_->tail_logs(reader, params, now);
}
Subscriptions::Result Subscriptions::unsubscribe(ConnectionId connection,
                                                 const UnsubscribeParams& params) {
  return impl_->unsubscribe(connection, params);
}
void Subscriptions::close(ConnectionId connection) {
  impl_->close(connection);
}
std::size_t Subscriptions::total() const {
  return impl_->total();
}

std::size_t Subscriptions::count(ConnectionId connection) const {
  return impl_->count(connection);
}
void Subscriptions::wake(TimePoint now, Timestamp) {
  impl_->wake(now);
}
void Subscriptions::tick(TimePoint now, Timestamp wall) {
  impl_->tick(now, wall);
}
std::optional<TimePoint> Subscriptions::next_deadline() const {
  return impl_->next_deadline();
}
void Subscriptions::end(const std::string& reason, TimePoint now, Timestamp wall) {
  impl_->end(reason, now, wall);
}
std::vector<ReaderNews> Subscriptions::take_news() {
  return impl_->take_news();
}
std::vector<ConnectionId> Subscriptions::touched() {
  return impl_->touched();
}

}  // namespace espalier::ipc::internal
