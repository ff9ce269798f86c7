#include "espalier/cli/top/top_feed.hpp"

#include "espalier/cli/exit_codes.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace espalier::cli {
namespace {

constexpr auto first_pause = std::chrono::milliseconds{200};
constexpr auto longest_pause = std::chrono::milliseconds{3000};
constexpr int silence_ms = 4000;  // Then the target is asked for a sign of life.
constexpr auto sign_of_life = std::chrono::seconds{3};
constexpr std::uint64_t state_interval_ms = 500;
constexpr auto between_looks = std::chrono::seconds{1};  // At a pipeline; nobody pushes its counts.
constexpr std::uint64_t entries_from_before = 200;

void drain_fd(int fd) {
  std::uint64_t count = 0;
  if (::read(fd, &count, sizeof count) < 0) return;  // Nothing was there.
}

template <ipc::Message T>
std::optional<T> body_of(const ipc::Push& push) {
  auto value = ipc::decode<T>(push.body, ipc::Unknown::ignore, push.type);
  if (!value) return {};
  return std::move(*value);
}

bool is_broken(const Failure& failure) {
  return failure.code == exit_not_running;
}

}  // namespace

TopFeed::TopFeed(RemoteOptions options, Session session, TopInbox& inbox)
    : options_(std::move(options)), inbox_(inbox), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // Another target must not take the place of one that is gone.
  options_.socket = session.socket();
  options_.timeout.clear();
  thread_ = std::thread([this, first = std::optional<Session>(std::move(session))]() mutable {
    run(std::move(first));
  });
}

TopFeed::~TopFeed() {
  line_.cut();
  wake();
  thread_.join();
}

void TopFeed::follow(TopWanted wanted) {
  {
    const std::lock_guard lock(mutex_);
    orders_.wanted = std::move(wanted);
  }
  wake();
}

void TopFeed::ask_why(std::string path) {
  {
    const std::lock_guard lock(mutex_);
    orders_.why = {std::move(path)};  // What was asked for before is no longer looked at.
  }
  wake();
}

void TopFeed::wake() const {
  const std::uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) < 0) return;  // It is awake.
}

void TopFeed::run(std::optional<Session> session) {
  std::chrono::milliseconds rest = first_pause;
  while (!line_.is_cut()) {
    if (!session) {
      auto opened = Session::open(options_, "3s");
      if (!opened) {
        inbox_.post(TopLost{opened.error().message});
        pause(rest);
        rest = std::min(rest * 2, longest_pause);
        continue;
      }
      session.emplace(std::move(*opened));
    }
    rest = first_pause;
    if (!line_.hold(*session)) break;
    inbox_.post(TopConnected{session->hello()});
    const std::string why = serve(*session);
    line_.release();
    session.reset();
    if (line_.is_cut()) break;
    if (!ended_) inbox_.post(TopLost{why});
    pause(rest);
  }
}

// Until the connection is of no more use; answers with the reason.
std::string TopFeed::serve(Session& session) {
  present_.reset();
  state_ = events_ = logs_ = {};
  ended_ = false;
  while (!line_.is_cut()) {
    if (auto failure = obey(session)) return failure->message;
    if (auto failure = look_at_pipeline(session)) return failure->message;
    if (auto why = drain(session)) return *why;
    if (auto why = wait(session)) return *why;
  }
  return "";
}

std::optional<Failure> TopFeed::obey(Session& session) {
  Orders orders;
  {
    const std::lock_guard lock(mutex_);
    orders.wanted = orders_.wanted;
    std::swap(orders.why, orders_.why);
  }
  if (present_ != orders.wanted) {
    if (auto failure = adjust(session, orders.wanted)) {
      if (is_broken(*failure)) return failure;
      if (failure->retry_after_ms) {
        pause(std::chrono::milliseconds(std::min<std::uint64_t>(*failure->retry_after_ms, 2000)));
        wake();
        return {};
      }
      inbox_.post(TopNote{failure->message, true, false});
    }
    next_look_ = {};
    present_ = orders.wanted;
  }
  for (const std::string& path : orders.why) {
    if (auto failure = tell_why(session, path)) return failure;
  }
  return {};
}

std::optional<Failure> TopFeed::adjust(Session& session, const TopWanted& wanted) {
  if (!state_.is_open || !present_ || present_->resources != wanted.resources) {
    if (auto failure = close(session, state_)) return failure;
    if (auto failure = follow_state(session, wanted.resources)) return failure;
  }
  if (!wanted.events) {
    if (auto failure = close(session, events_)) return failure;
  } else if (!events_.is_open) {
    if (auto failure = follow_events(session)) return failure;
  }
  if (logs_.is_open && wanted.logs == logs_path_) return {};
  if (auto failure = close(session, logs_)) return failure;
  return wanted.logs ? follow_logs(session, *wanted.logs) : std::nullopt;
}

std::optional<Failure> TopFeed::follow_state(Session& session, bool resources) {
  ipc::StateSubscribeParams params;
  params.mode = ipc::StateMode::delta;
  params.interval_ms = state_interval_ms;
  if (resources) params.include = {{"resources"}};
  auto reply = session.ask<ipc::StateSubscribeResult>("state.subscribe", params);
  if (!reply) return reply.error();
  state_ = {reply->value.subscription_id, true};
  inbox_.post(std::move(reply->value.snapshot));
  return {};
}

std::optional<Failure> TopFeed::follow_events(Session& session) {
  ipc::EventsSubscribeParams params;
  if (cursor_) {
    params.from = cursor_;
  } else {
    params.replay = entries_from_before;
  }
  const auto reply = session.ask<ipc::SubscribeResult>("events.subscribe", params);
  if (!reply) return reply.error();
  events_ = {reply->value.subscription_id, true};
  cursor_ = reply->value.cursor;
  return {};
}

std::optional<Failure> TopFeed::follow_logs(Session& session, const std::string& path) {
  ipc::LogsTailParams params;
  if (path != "/") params.path = path;
  params.lines = entries_from_before;
  params.follow = true;
  auto reply = session.ask<ipc::LogsTailResult>("logs.tail", params);
  if (!reply) return reply.error();
  logs_ = {reply->value.subscription_id.value_or(""), true};
  logs_path_ = path;
  inbox_.post(TopLogs{path, true, std::move(reply->value.lines), {}});
  return {};
}

std::optional<Failure> TopFeed::close(Session& session, Subscription& subscription) {
  if (!subscription.is_open) return {};
  const auto reply =
      session.ask<ipc::Nothing>("unsubscribe", ipc::UnsubscribeParams{subscription.id});
  if (!reply && (is_broken(reply.error()) || reply.error().retry_after_ms)) return reply.error();
  subscription = {};
  return {};
}

std::optional<Failure> TopFeed::tell_why(Session& session, const std::string& path) {
  auto reply = session.ask<ipc::WhyResult>("why", ipc::PathParams{path});
  if (!reply && is_broken(reply.error())) return reply.error();
  if (reply) {
    inbox_.post(TopWhy{path, std::move(reply->value), {}});
  } else {
    inbox_.post(TopWhy{path, {}, reply.error().message});
  }
  return {};
}

std::optional<Failure> TopFeed::look_at_pipeline(Session& session) {
  const auto now = std::chrono::steady_clock::now();
  if (!present_ || !present_->pipeline || now < next_look_) return {};
  next_look_ = now + between_looks;
  TopPipeline seen{*present_->pipeline, {}, {}};
  ipc::PipelinesParams params;
  params.path = seen.path;
  auto reply = session.ask<ipc::PipelinesResult>("pipelines", params, sign_of_life);
  if (!reply && is_broken(reply.error())) return reply.error();
  if (!reply) seen.problem = reply.error().message;
  if (reply && !reply->value.pipelines.empty())
    seen.info = std::move(reply->value.pipelines.front());
  inbox_.post(std::move(seen));
  return {};
}

void TopFeed::deliver(const ipc::Push& push) {
  const auto& id = push.subscription_id;
  const bool of_logs = logs_.is_open && id == logs_.id;
  if (push.type == "state_delta" && id == state_.id) {
    if (auto delta = body_of<ipc::StateDeltaPush>(push)) inbox_.post(std::move(*delta));
  } else if (push.type == "snapshot" && id == state_.id) {
    if (auto whole = body_of<ipc::SnapshotPush>(push)) inbox_.post(std::move(whole->snapshot));
  } else if (push.type == "log" && of_logs) {
    if (auto log = body_of<ipc::LogPush>(push))
      inbox_.post(TopLogs{logs_path_, false, {std::move(log->line)}, {}});
  } else if (push.type == "gap" && of_logs) {
    inbox_.post(TopLogs{logs_path_, false, {}, push.body});
  } else if (push.type == "gap") {
    inbox_.post(TopEvent{push.body, true});
  } else if (push.type == "event" && push.body.contains("event")) {
    const ipc::Json& event = push.body["event"];
    if (cursor_ && event.contains("sequence") && event["sequence"].is_number_unsigned())
      cursor_->sequence = event["sequence"].get<std::uint64_t>();
    inbox_.post(TopEvent{event, false});
  } else if (push.type == "end") {
    const auto end = body_of<ipc::EndPush>(push);
    ended_ = true;
    inbox_.post(TopEnded{end ? end->reason : ""});
  }
}

// What has come by now; answers with the reason where the connection is of no more use.
std::optional<std::string> TopFeed::drain(Session& session) {
  while (true) {
    auto push = session.client().next(supervisor::Duration::zero());
    if (!push) return push.error().message;
    if (!*push) break;
    deliver(**push);
  }
  return {};
}

// For something to come, an order, or the end. A target that is silent is asked whether it lives.
std::optional<std::string> TopFeed::wait(Session& session) {
  std::array<pollfd, 2> watched = {pollfd{session.client().fd(), POLLIN, 0},
                                   pollfd{wake_.get(), POLLIN, 0}};
  const bool looks = present_ && present_->pipeline;
  const auto until_look =
      std::chrono::ceil<std::chrono::milliseconds>(next_look_ - std::chrono::steady_clock::now());
  const int limit =
      looks ? static_cast<int>(std::clamp<std::int64_t>(until_look.count(), 0, 1000)) : silence_ms;
  const int ready = ::poll(watched.data(), watched.size(), limit);
  if (watched[1].revents != 0) drain_fd(wake_.get());
  if (ready != 0 || looks) return {};  // A look is as good as a question.
  const auto reply = session.ask<ipc::PingResult>("ping", ipc::Nothing{}, sign_of_life);
  if (!reply && is_broken(reply.error())) return reply.error().message;
  return {};
}

void TopFeed::pause(std::chrono::milliseconds time) {
  pollfd watched = {wake_.get(), POLLIN, 0};
  const auto end = std::chrono::steady_clock::now() + time;
  while (!line_.is_cut()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    if (::poll(&watched, 1, static_cast<int>(left.count())) > 0) drain_fd(wake_.get());
  }
}

}  // namespace espalier::cli
