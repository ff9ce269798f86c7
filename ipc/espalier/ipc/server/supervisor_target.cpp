#include "espalier/ipc/server/supervisor_target.hpp"

#include "espalier/ipc/server/resources.hpp"

#include <exception>
#include <utility>

namespace espalier::ipc {

using supervisor::Error;

namespace {

WireError unreadable(const std::string& why) {
  return {.code = ErrorCode::invalid_spec, .stage = Stage::parameters, .message = why};
}

WireError no_hook(const std::string& what) {
  return {.code = ErrorCode::wrong_state,
          .stage = Stage::parameters,
          .message = "this program takes no " + what +
                     " over its socket; only one that was started from a tree file does"};
}

// A hook is the program's own; what it throws is an answer, not the end of the server.
template <class Spec, class Read>
expected<Spec, WireError> read_with(Read read) {
  try {
    auto result = read();
    if (result) return std::move(*result);
    return unexpected<WireError>(unreadable(result.error()));
  } catch (const std::exception& error) {
    return unexpected<WireError>(unreadable(error.what()));
  }
}

}  // namespace

SupervisorTarget::SupervisorTarget(supervisor::SupervisorHandle handle, ServerOptions options,
                                   TargetInfo info, std::function<void()> news)
    : handle_(std::move(handle)),
      options_(std::move(options)),
      info_(std::move(info)),
      news_(std::move(news)) {
  if (const auto state = handle_.current_state({"/", 0U})) info_.epoch = state->epoch;
  // The epoch is the time of the start, and known before the summary has seen the first event.
  info_.started_at = Timestamp{} + std::chrono::microseconds{info_.epoch};
}

expected<supervisor::TreeState, Error> SupervisorTarget::state(
    const supervisor::StateQuery& query) {
  return handle_.current_state(query);
}

std::uint64_t SupervisorTarget::generation() {
  const auto state = handle_.current_state({"/", 0U});
  return state ? state->sequence : handle_.kept_events_end();
}

supervisor::HealthReport SupervisorTarget::health() {
  return handle_.health();
}

supervisor::RunSummary SupervisorTarget::summary() {
  return handle_.summary();
}

expected<supervisor::Why, Error> SupervisorTarget::why(const std::string& path) {
  return handle_.why(path);
}

supervisor::EventPage SupervisorTarget::events(std::uint64_t position, std::size_t limit) {
  return handle_.kept_events(position, limit);
}

std::uint64_t SupervisorTarget::events_end() {
  return handle_.kept_events_end();
}

LinePage SupervisorTarget::lines(std::uint64_t position, std::size_t limit) {
  return options_.logs ? options_.logs->read_from(position, limit) : LinePage{};
}

std::uint64_t SupervisorTarget::lines_end() {
  return options_.logs ? options_.logs->end() : 0;
}

std::vector<pipeline::PipelineRow> SupervisorTarget::pipelines() {
  return options_.pipelines ? options_.pipelines->rows() : std::vector<pipeline::PipelineRow>{};
}

std::optional<ResourceInfo> SupervisorTarget::resources(std::int64_t pid) {
  return read_resources(pid);
}

expected<supervisor::ChildSpec, WireError> SupervisorTarget::read_child(const std::string& parent,
                                                                        const std::string& text) {
  if (!options_.read_child) return unexpected<WireError>(no_hook("children"));
  return read_with<supervisor::ChildSpec>([&] { return options_.read_child(parent, text); });
}

expected<supervisor::SupervisorSpec, WireError> SupervisorTarget::read_tree(
    const std::string& text) {
  if (!options_.read_tree) return unexpected<WireError>(no_hook("trees"));
  return read_with<supervisor::SupervisorSpec>([&] { return options_.read_tree(text); });
}

void SupervisorTarget::execute(supervisor::Command command, Answer done) {
  handle_.execute(std::move(command), std::move(done));
}

void SupervisorTarget::watch(bool events, bool lines) {
  if (!events) {
    event_watch_.reset();
  } else if (!event_watch_) {
    event_watch_ = handle_.on_event(news_);
  }
  if (!lines || !options_.logs) {
    line_watch_.reset();
  } else if (!line_watch_) {
    line_watch_ = options_.logs->on_line(news_);
  }
}

std::optional<std::string> SupervisorTarget::ended() const {
  if (handle_.is_alive()) return {};
  const auto* result = handle_.join_for({});
  return result ? result->reason : std::string{"the tree has ended"};
}

}  // namespace espalier::ipc
