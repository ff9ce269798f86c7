#include "espalier/ipc/core/internal/service_impl.hpp"

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/envelope.hpp"

#include <algorithm>
#include <utility>

namespace espalier::ipc {

using internal::Moment;
using supervisor::Duration;
using supervisor::TimePoint;

namespace {

// Time for what was said last to be taken.
constexpr Duration linger = std::chrono::seconds{5};

std::string bye_line(const WireError& why, const std::string& target_id) {
  std::string line;
  encode(line, ByePush{.error = body_of(why, target_id)});
  return line;
}

WireError gone(const std::string& reason) {
  return {ErrorCode::gone, Stage::connection, "the tree has ended: " + reason, false, {}};
}

}  // namespace

Service::Impl::Impl(Options options, Target& target, AuditStore& audit, ChainHead head, Post post)
    : options_(std::move(options)),
      target_(target),
      target_id_(target.info().target_id),
      authorisation_(options_.spec.security, options_.own_uid),
      audit_(audit, std::move(head)),
      users_(options_.spec.security, authorisation_),
      subscriptions_(target, options_.backpressure),
      commands_(std::make_shared<internal::Commands>(
          options_.spec.security, target, audit_, std::move(post),
          [this](ConnectionId id, std::string line) { send(id, std::move(line)); })),
      requests_({options_.spec.security, target, authorisation_, audit_, users_, *commands_,
                 subscriptions_, options_.figures.get()},
                [this](ConnectionId id, std::string line) { send(id, std::move(line)); }) {}

// --- coming and going --------------------------------------------------------------------------

Service::Admission Service::Impl::open(const Peer& peer, const Moment& at) {
  at_ = at;
  auto problem = ended_ ? std::optional{gone(*ended_)} : users_.enter(peer);
  if (problem) {
    requests_.note_refused_peer(peer, *problem, at);
    if (options_.figures) options_.figures->refused(problem->code);
    return {{}, bye_line(*problem, target_id_) + '\n'};
  }
  const auto id = ++last_id_;
  auto made = std::make_unique<Connection>(id, peer, options_.spec.security, at.now);
  if (const auto first = deadline_of(*made)) due_at(*first);
  connections_.emplace(id, std::move(made));
  if (options_.figures) options_.figures->connected();
  count_readers();
  return {id, {}};
}

void Service::Impl::close(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  subscriptions_.close(id);
  commands_->close(id);
  users_.leave(found->second->peer);
  count_dropped(*found->second);
  connections_.erase(found);
  touched_.erase(id);
  count_readers();
}

void Service::Impl::count_readers() {
  if (!options_.figures) return;
  options_.figures->set_connections(connections_.size());
  options_.figures->set_subscriptions(subscriptions_.total());
}

void Service::Impl::count_dropped(Connection& c) {
  if (!options_.figures || c.outbox.dropped() == c.dropped_counted) return;
  options_.figures->dropped(c.outbox.dropped() - c.dropped_counted);
  c.dropped_counted = c.outbox.dropped();
}

void Service::Impl::say_goodbye(Connection& c, const WireError& why) {
  if (c.is_closing()) return;
  subscriptions_.close(c.id);
  // Where it does not fit the reader will see the end of the connection, and nothing else.
  static_cast<void>(c.outbox.answer(bye_line(why, target_id_)));
  begin_closing(c);
}

void Service::Impl::begin_closing(Connection& c) {
  if (c.is_closing()) return;
  subscriptions_.close(c.id);
  commands_->close(c.id);
  c.cut_off_at = at_.now + linger;
  c.line_began.reset();
  due_at(*c.cut_off_at);
  look_at_output(c);
}

void Service::Impl::end(const std::string& reason, const Moment& at) {
  at_ = at;
  settle_commands();
  ended_ = reason;
  subscriptions_.end(reason, at.now, at.wall);
  commands_->end(reason);
  for (auto& [id, c] : connections_) {
    if (c->is_closing()) continue;
    static_cast<void>(c->outbox.answer(bye_line(gone(reason), target_id_)));
    begin_closing(*c);
  }
  look_at_touched();
}

// --- bytes -------------------------------------------------------------------------------------

void Service::Impl::receive(ConnectionId id, std::string_view bytes, const Moment& at) {
  at_ = at;
  auto* c = find(id);
  if (!c || c->is_closing()) return;
  c->framer.feed(bytes);
  serve_lines(*c);
  settle_commands();
  look_at_touched();
}

// Stops where answers pile up: the rest is served once they are taken.
void Service::Impl::serve_lines(Connection& c) {
  bool is_drained = false;
  while (!c.is_closing() && !is_full(c)) {
    const auto line = c.framer.next();
    is_drained = !line;
    if (is_drained) break;
    c.last_request = at_.now;
    c.line_began.reset();
    requests_.serve(c, *line, at_);
  }
  if (c.is_closing() || !is_drained) return;
  if (c.framer.too_long()) {
    requests_.refuse_long_line(c, at_);
    return begin_closing(c);
  }
  if (c.framer.unfinished() == 0) {
    c.line_began.reset();
  } else if (!c.line_began) {
    c.line_began = at_.now;
    due_at(at_.now + options_.spec.security.line_timeout);
  }
}

void Service::Impl::send(ConnectionId id, std::string line) {
  auto* c = find(id);
  if (!c || c->is_closing()) return;
  c->last_request = at_.now;  // It was busy with it until now.
  if (c->outbox.answer(std::move(line))) return look_at_output(*c);
  say_goodbye(*c, {ErrorCode::too_slow,
                   Stage::connection,
                   "more answers wait to be taken than may; take them as they come",
                   true,
                   {}});
}

std::string_view Service::Impl::output(ConnectionId id) {
  auto* c = find(id);
  return c && !c->is_dead ? c->outbox.pending() : std::string_view{};
}

void Service::Impl::sent(ConnectionId id, std::size_t bytes, TimePoint now) {
  auto* c = find(id);
  if (!c || bytes == 0) return;
  at_ = {now, at_.wall + std::chrono::duration_cast<Timestamp::duration>(now - at_.now)};
  const bool was_full = is_full(*c);
  c->outbox.sent(bytes);
  c->waits_since.reset();
  look_at_output(*c);
  if (!was_full || is_full(*c)) return;
  c->line_began.reset();  // Nobody read on meanwhile.
  serve_lines(*c);
  settle_commands();
  look_at_touched();
}

bool Service::Impl::is_closing(ConnectionId id) const {
  const auto* c = find(id);
  return !c || c->is_closing();
}

bool Service::Impl::is_full(ConnectionId id) const {
  const auto* c = find(id);
  return c && is_full(*c);
}

bool Service::Impl::is_in_use(ConnectionId id) const {
  const auto* c = find(id);
  return c && is_in_use(*c);
}

bool Service::Impl::is_full(const Connection& c) const {
  return c.outbox.answer_bytes() > options_.spec.security.max_queued_bytes / 2;
}

Service::Impl::Connection* Service::Impl::find(ConnectionId id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void Service::Impl::look_at_output(Connection& c) {
  touched_.insert(c.id);
  count_dropped(c);
  if (c.outbox.empty()) {
    c.waits_since.reset();
  } else if (!c.waits_since) {
    c.waits_since = at_.now;
    due_at(at_.now + options_.spec.security.stall_timeout);
  }
}

void Service::Impl::look_at_touched() {
  for (const auto& news : subscriptions_.take_news())
    tell(news);
  if (audit_.take_failure()) {
    target_.report(supervisor::events::AuditFailed{
        "a record could not be written; see dashboard.security.audit_file"});
  }
  for (const auto id : subscriptions_.touched())
    if (auto* c = find(id)) look_at_output(*c);
}

void Service::Impl::tell(const internal::ReaderNews& news) {
  namespace events = supervisor::events;
  const auto* c = find(news.connection);
  if (!c) return;
  const auto reader = "pid " + std::to_string(c->peer.pid) + " of uid " +
                      std::to_string(c->peer.uid) + ", " + news.subscription_id;
  if (news.alert) {
    target_.report(
        events::BackpressureAlert{reader, to_string(news.alert->level), news.alert->fill_pct});
  }
  const auto& lost = news.left_out;
  if (lost.count == 0) return;
  target_.report(events::SubscriberLagged{reader, "sampled", lost.count, lost.from, lost.to});
  auto record = internal::record_of(c->peer, at_.wall);
  record.method = "events.subscribe";
  record.decision = "left_out";
  record.control = "delivery";
  record.detail = std::to_string(lost.count) + " events from " + std::to_string(lost.from) +
                  " to " + std::to_string(lost.to) + " were not given to " + news.subscription_id;
  if (news.others != 0) {
    *record.detail += "; " + std::to_string(news.others) + " to others, not recorded";
  }
  audit_.note(std::move(record), internal::Auditor::Sort::control, at_.now);
}

std::vector<ConnectionId> Service::Impl::touched() {
  look_at_touched();
  std::vector<ConnectionId> all{touched_.begin(), touched_.end()};
  touched_.clear();
  count_readers();
  std::ranges::sort(all);
  return all;
}

// --- time --------------------------------------------------------------------------------------

void Service::Impl::wake(const Moment& at) {
  at_ = at;
  settle_commands();
  subscriptions_.wake(at.now, at.wall);
  look_at_touched();
}

void Service::Impl::tick(const Moment& at) {
  at_ = at;
  settle_commands();
  subscriptions_.tick(at.now, at.wall);
  look_at_touched();
  if (!deadline_ || *deadline_ > at.now) return;
  deadline_.reset();
  for (auto& [id, c] : connections_) {
    check_times(*c);
    if (const auto next = deadline_of(*c)) due_at(*next);
  }
}

void Service::Impl::settle_commands() {
  const auto next = commands_->next_deadline();
  if (next && *next <= at_.now) commands_->tick(at_);
}

// Whoever follows something, or waits for a command, may be silent.
bool Service::Impl::is_in_use(const Connection& c) const {
  return subscriptions_.count(c.id) != 0 || commands_->is_waited_for(c.id);
}

void Service::Impl::check_times(Connection& c) {
  const auto& rules = options_.spec.security;
  const auto is_past = [&](const std::optional<TimePoint>& since, Duration limit) {
    return since && at_.now - *since >= limit;
  };
  if (c.is_dead) return;
  if (c.cut_off_at && *c.cut_off_at <= at_.now) {
    c.is_dead = true;
    touched_.insert(c.id);
  } else if (is_past(c.waits_since, rules.stall_timeout)) {
    begin_closing(c);
    c.is_dead = true;  // What is not taken cannot be said goodbye to.
  } else if (c.cut_off_at) {
    return;
  } else if (is_past(c.line_began, rules.line_timeout)) {
    say_goodbye(c, {ErrorCode::too_slow,
                    Stage::framing,
                    "a line was begun and not ended in time; send whole lines",
                    true,
                    {}});
  } else if (rules.idle_timeout > Duration::zero() && is_past(c.last_request, rules.idle_timeout)) {
    if (is_in_use(c)) {
      c.last_request = at_.now;
      return;
    }
    say_goodbye(c, {ErrorCode::idle,
                    Stage::connection,
                    "nothing was asked for too long; connect again when there is something",
                    true,
                    {}});
  }
}

std::optional<TimePoint> Service::Impl::deadline_of(const Connection& c) const {
  const auto& rules = options_.spec.security;
  if (c.is_dead) return {};
  std::optional<TimePoint> first = c.cut_off_at;
  const auto also = [&](TimePoint when) { first = std::min(first.value_or(when), when); };
  if (c.waits_since) also(*c.waits_since + rules.stall_timeout);
  if (c.line_began) also(*c.line_began + rules.line_timeout);
  if (!c.cut_off_at && rules.idle_timeout > Duration::zero()) {
    also(c.last_request + rules.idle_timeout);
  }
  return first;
}

void Service::Impl::due_at(TimePoint when) {
  deadline_ = std::min(deadline_.value_or(when), when);
}

std::optional<TimePoint> Service::Impl::next_deadline() const {
  auto first = deadline_;
  const auto also = [&](const std::optional<TimePoint>& when) {
    if (when) first = std::min(first.value_or(*when), *when);
  };
  also(commands_->next_deadline());
  also(subscriptions_.next_deadline());
  return first;
}

}  // namespace espalier::ipc
