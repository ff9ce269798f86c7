#include "espalier/ipc/client/client.hpp"
#include "espalier/ipc/client/internal/line_socket.hpp"
#include "espalier/ipc/client/internal/push_queue.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

namespace espalier::ipc {
namespace {

using supervisor::Duration;
using supervisor::TimePoint;
using Clock = std::chrono::steady_clock;
using Item = EventStream::Item;

bool may_mend(const ClientError& error) {
  using Kind = ClientError::Kind;
  if (error.kind == Kind::refused) return error.refusal && error.refusal->retryable;
  return error.kind != Kind::no_permission && error.kind != Kind::protocol;
}

std::uint64_t number(const Json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_number_unsigned() ? field->get<std::uint64_t>() : 0;
}

}  // namespace

class EventStream::Impl {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)),
        cursor_(options_.from.value_or(Cursor{})),
        has_cursor_(options_.from.has_value()),
        pause_(options_.first_pause) {}

  expected<std::optional<Item>, ClientError> next(TimePoint deadline);
  [[nodiscard]] const Cursor& cursor() const { return cursor_; }

 private:
  [[nodiscard]] expected<void, ClientError> open();
  /// Cuts the connection and sets the time of the next try. An error that no second try mends is
  /// handed on.
  [[nodiscard]] expected<void, ClientError> lose(ClientError error);
  void try_later(Duration least);
  void take(Push push);

  Options options_;
  Cursor cursor_;
  bool has_cursor_;
  Duration pause_;
  std::optional<Client> client_ = {};
  std::string subscription_ = {};
  std::deque<Item> items_ = {};
  TimePoint next_try_ = {};
  TimePoint opened_at_ = {};
  bool is_told_ = false;  ///< That the connection is lost.
};

expected<std::optional<Item>, ClientError> EventStream::Impl::next(TimePoint deadline) {
  while (true) {
    if (!items_.empty()) {
      Item item = std::move(items_.front());
      items_.pop_front();
      return std::optional<Item>(std::move(item));
    }
    if (!client_) {
      std::this_thread::sleep_until(std::min(next_try_, deadline));
      if (Clock::now() < next_try_) return std::optional<Item>();
      auto opened = open();
      if (!opened) opened = lose(std::move(opened.error()));
      if (!opened) return unexpected<ClientError>(std::move(opened.error()));
      continue;
    }
    auto push = client_->next(deadline - Clock::now());
    if (!push) {
      if (auto lost = lose(std::move(push.error())); !lost) {
        return unexpected<ClientError>(std::move(lost.error()));
      }
      continue;
    }
    if (!*push) return std::optional<Item>();
    take(std::move(**push));
  }
}

expected<void, ClientError> EventStream::Impl::open() {
  auto client = Client::connect(options_.client);
  if (!client) return unexpected<ClientError>(std::move(client.error()));
  const auto epoch = client->hello().epoch;
  const bool is_another_run = has_cursor_ && cursor_.epoch != epoch;
  // All that the new run still has belongs to what comes after the old one.
  const Cursor from = is_another_run ? Cursor{.epoch = epoch, .sequence = 0} : cursor_;
  EventsSubscribeParams params = {.filter = options_.filter};
  if (has_cursor_) {
    params.from = from;
  } else if (options_.replay > 0) {
    params.replay = options_.replay;
  }
  auto answer = client->call<SubscribeResult>("events.subscribe", params);
  if (!answer) return unexpected<ClientError>(std::move(answer.error()));
  items_.push_back({.kind = Item::Kind::connected});
  if (is_another_run) {
    const GapPush gap = {.subscription_id = answer->subscription_id, .reason = "other_epoch"};
    items_.push_back({.kind = Item::Kind::gap, .body = internal::as_json(gap)});
  }
  cursor_ = has_cursor_ ? from : answer->cursor;
  has_cursor_ = true;
  subscription_ = answer->subscription_id;
  client_ = std::move(*client);
  opened_at_ = Clock::now();
  is_told_ = false;
  return {};
}

expected<void, ClientError> EventStream::Impl::lose(ClientError error) {
  // Who takes connections only to drop them is not asked at full speed.
  if (client_ && Clock::now() - opened_at_ > options_.longest_pause) pause_ = options_.first_pause;
  client_.reset();
  const auto wait = error.refusal ? error.refusal->retry_after_ms.value_or(0) : 0;
  try_later(std::chrono::milliseconds{std::min<std::uint64_t>(wait, 60'000)});
  if (!may_mend(error)) return unexpected<ClientError>(std::move(error));
  if (!is_told_) items_.push_back({.kind = Item::Kind::lost, .message = std::move(error.message)});
  is_told_ = true;
  return {};
}

void EventStream::Impl::try_later(Duration least) {
  next_try_ = Clock::now() + std::max(pause_, least);
  pause_ = std::min(2 * pause_, options_.longest_pause);
}

void EventStream::Impl::take(Push push) {
  if (push.subscription_id != subscription_) return;
  pause_ = options_.first_pause;
  if (push.type == "event") {
    const auto event = push.body.find("event");
    if (event == push.body.end() || !event->is_object()) return;
    cursor_.sequence = std::max(cursor_.sequence, number(*event, "sequence"));
    items_.push_back({.kind = Item::Kind::event, .body = std::move(*event)});
  } else if (push.type == "gap") {
    cursor_.sequence = std::max(cursor_.sequence, number(push.body, "to"));
    items_.push_back({.kind = Item::Kind::gap, .body = std::move(push.body)});
  } else if (push.type == "end") {
    const auto reason = push.body.find("reason");
    items_.push_back({.kind = Item::Kind::ended,
                      .message = reason != push.body.end() && reason->is_string()
                                     ? reason->get<std::string>()
                                     : std::string()});
    client_.reset();
    try_later({});
    is_told_ = true;
  }
}

EventStream::EventStream(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
EventStream::~EventStream() = default;
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&&) noexcept = default;

expected<std::optional<EventStream::Item>, ClientError> EventStream::next(Duration limit) {
  return impl_->next(internal::deadline_after(limit));
}

const Cursor& EventStream::cursor() const {
  return impl_->cursor();
}

}  // namespace espalier::ipc
