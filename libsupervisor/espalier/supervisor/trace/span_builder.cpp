#include "espalier/supervisor/trace/span_builder.hpp"

#include <utility>

namespace espalier::supervisor {

namespace {

std::uint64_t correlation_of(const Event& event) {
  return event.cause.correlation != 0 ? event.cause.correlation : event.sequence;
}

void close(Span& span, Span::Time at, const std::optional<std::string>& error,
           std::vector<Span>& ended) {
  span.end = at;
  span.error = error;
  ended.push_back(std::move(span));
}

void describe_exit(Span& span, const ExitRecord& exit) {
  span.attributes.emplace_back("espalier.exit.kind", std::string{to_string(exit.kind)});
  span.attributes.emplace_back("espalier.exit.category", std::string{to_string(exit.category)});
  if (exit.code) span.attributes.emplace_back("espalier.exit.code", std::int64_t{*exit.code});
  if (exit.signal) {
    span.attributes.emplace_back("espalier.exit.signal", std::int64_t{*exit.signal});
  }
}

std::optional<std::string> error_of(const ExitRecord& exit) {
  if (!exit.is_failure()) return {};
  return describe(exit);
}

std::int64_t milliseconds(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

}  // namespace

void SpanBuilder::add(const Event& event, std::vector<Span>& ended) {
  const auto& body = event.body;
  if (std::holds_alternative<events::ChildStarting>(body)) {
    start_child(event, ended);
  } else if (std::holds_alternative<events::ChildReady>(body)) {
    note(event);
    ready(event, ended);
  } else if (const auto* failed = std::get_if<events::ChildStartFailed>(&body)) {
    end_child(event, failed->error, ended);
  } else if (const auto* exited = std::get_if<events::ChildExited>(&body)) {
    if (const auto found = lives_.find(event.path); found != lives_.end()) {
      describe_exit(found->second.attempt, exited->exit);
    }
    end_child(event, error_of(exited->exit), ended);
  } else if (const auto* decided = std::get_if<events::RestartDecided>(&body)) {
    decide(event, *decided, ended);
  } else if (std::holds_alternative<events::TreeStarting>(body)) {
    begin_of_tree(event, tree_start_, "tree_start");
  } else if (std::holds_alternative<events::TreeStarted>(body)) {
    end_of_tree(event, tree_start_, {}, ended);
  } else if (const auto* not_started = std::get_if<events::TreeStartFailed>(&body)) {
    end_of_tree(event, tree_start_, not_started->error, ended);
  } else if (std::holds_alternative<events::ShutdownRequested>(body) && event.path == "/") {
    begin_of_tree(event, shutdown_, "shutdown");
  } else if (const auto* done = std::get_if<events::ShutdownCompleted>(&body)) {
    const bool clean = !done->report || done->report->reconcile.clean();
    end_of_tree(event, shutdown_, clean ? std::nullopt : std::optional{describe(body, event.path)},
                ended);
  } else {
    note(event);
  }
}

void SpanBuilder::finish(Span::Time at, std::vector<Span>& ended) {
  const auto cut_off = [&](Span& span) {
    span.attributes.emplace_back("espalier.unfinished", true);
    close(span, at, {}, ended);
  };
  for (auto& [path, life] : lives_) {
    if (life.start) cut_off(*life.start);
    cut_off(life.attempt);
  }
  lives_.clear();
  for (auto* span : {&tree_start_, &shutdown_}) {
    if (*span) cut_off(**span);
    span->reset();
  }
}

Span SpanBuilder::begin(const Event& event, std::string name) const {
  Span span;
  span.trace = trace_id_of(event.epoch, correlation_of(event));
  span.id = span_id_of(event.epoch, event.sequence);
  if (const auto* trail = trail_of(event.cause.caused_by)) span.parent = trail->owner;
  span.name = std::move(name);
  span.begin = event.at;
  span.attributes.emplace_back("espalier.path", event.path);
  if (event.generation != 0) {
    span.attributes.emplace_back("espalier.generation",
                                 static_cast<std::int64_t>(event.generation));
  }
  if (event.attempt != 0) {
    span.attributes.emplace_back("espalier.attempt", static_cast<std::int64_t>(event.attempt));
  }
  return span;
}

const SpanBuilder::Trail* SpanBuilder::trail_of(std::uint64_t sequence) const {
  const auto& trail = trails_[sequence % remembered];
  return sequence != 0 && trail.sequence == sequence ? &trail : nullptr;
}

void SpanBuilder::remember(const Event& event, std::uint64_t owner,
                           std::optional<Span::Link> link) {
  trails_[event.sequence % remembered] = {event.sequence, owner, event.at, link};
}

void SpanBuilder::start_child(const Event& event, std::vector<Span>& ended) {
  if (const auto old = lives_.find(event.path); old != lives_.end()) {
    end_child(event, "its end was not told", ended);
  }
  auto& life = lives_[event.path];
  life.attempt = begin(event, "attempt");
  life.start = begin(event, "start");
  life.start->parent = life.attempt.id;
  // Sequences of events are far below, so this is no span of another event.
  life.start->id = span_id_of(~event.epoch, event.sequence);
  remember(event, life.attempt.id);
}

void SpanBuilder::ready(const Event& event, std::vector<Span>& ended) {
  const auto found = lives_.find(event.path);
  if (found == lives_.end() || !found->second.start) return;
  close(*found->second.start, event.at, {}, ended);
  found->second.start.reset();
}

void SpanBuilder::end_child(const Event& event, const std::optional<std::string>& error,
                            std::vector<Span>& ended) {
  const auto found = lives_.find(event.path);
  if (found == lives_.end()) return note(event);
  auto& life = found->second;
  const Span::Link link{life.attempt.trace, life.attempt.id};
  const bool same_trace = link.trace == trace_id_of(event.epoch, correlation_of(event));
  if (life.start)
    close(*life.start, event.at, error.value_or("it ended before it was ready"), ended);
  close(life.attempt, event.at, error, ended);
  lives_.erase(found);
  remember(event, same_trace ? link.span : 0, link);
}

void SpanBuilder::decide(const Event& event, const events::RestartDecided& decided,
                         std::vector<Span>& ended) {
  auto span = begin(event, "decision");
  if (const auto* exit = trail_of(event.cause.caused_by)) {
    span.begin = exit->at;
    span.link = exit->link;
  }
  if (const auto* decision = decided.decision.get()) {
    span.attributes.emplace_back("espalier.verdict", std::string{to_string(decision->verdict)});
    span.attributes.emplace_back("espalier.rule", std::string{to_string(decision->deciding_rule)});
    span.attributes.emplace_back("espalier.explanation", explain(event.path, *decision));
    span.attributes.emplace_back("espalier.delay_ms", milliseconds(decision->delay));
    describe_exit(span, decision->exit);
  }
  span.attributes.emplace_back("espalier.scope_size",
                               static_cast<std::int64_t>(decided.scope_size));
  remember(event, span.id);
  const auto severity = severity_of(event.body);
  close(
      span, event.at,
      severity == Severity::error ? std::optional{describe(event.body, event.path)} : std::nullopt,
      ended);
}

void SpanBuilder::begin_of_tree(const Event& event, std::optional<Span>& span, std::string name) {
  if (span) return note(event);
  span = begin(event, std::move(name));
  remember(event, span->id);
}

void SpanBuilder::end_of_tree(const Event& event, std::optional<Span>& span,
                              const std::optional<std::string>& error, std::vector<Span>& ended) {
  note(event);
  if (!span) return;
  close(*span, event.at, error, ended);
  span.reset();
}

// What begins or ends nothing is a moment of the attempt it happened in, and hands on where its
// cause belongs.
void SpanBuilder::note(const Event& event) {
  const auto* trail = trail_of(event.cause.caused_by);
  auto owner = trail != nullptr ? trail->owner : 0;
  const auto found = lives_.find(event.path);
  if (found != lives_.end()) {
    auto& attempt = found->second.attempt;
    if (attempt.moments.size() < most_moments) {
      attempt.moments.push_back(
          {event.at, type_name(event.body), describe(event.body, event.path)});
    } else {
      ++attempt.moments_left_out;
    }
    const bool same_trace = attempt.trace == trace_id_of(event.epoch, correlation_of(event));
    if (owner == 0 && same_trace) owner = attempt.id;
  }
  remember(event, owner);
}

}  // namespace espalier::supervisor
