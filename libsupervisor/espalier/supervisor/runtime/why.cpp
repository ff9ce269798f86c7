#include "espalier/supervisor/runtime/why.hpp"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>

namespace espalier::supervisor {

namespace {

constexpr std::size_t longest_chain = 256;

template <class Body>
const Body* body(const Event& event) {
  return std::get_if<Body>(&event.body);
}

template <class Body>
bool is(const Event& event) {
  return std::holds_alternative<Body>(event.body);
}

// Events after which a node is where it is because of them.
bool explains(const Event& event) {
  return is<events::RestartDecided>(event) || is<events::ChildStopping>(event) ||
         is<events::ChildPaused>(event) || is<events::ChildSuspended>(event) ||
         is<events::ChildResumed>(event) || is<events::ChildUnhealthy>(event) ||
         is<events::ShutdownRequested>(event) || is<events::ChildBlocked>(event) ||
         is<events::FuseTripped>(event) || is<events::ChildQuarantined>(event);
}

// Several events of one path may tell of one incident; a decision says most, then who asked.
int weight(const Event& event) {
  if (is<events::RestartDecided>(event)) return 3;
  if (is<events::ChildStopping>(event)) return 2;
  return 1;
}

class Chain {
 public:
  Chain(const std::vector<Event>& events) {
    for (const auto& event : events)
      by_sequence_.emplace(event.sequence, &event);
  }

  // False where a link is no longer known.
  bool follow(const Event* event, std::vector<Event>& into) const {
    while (event && into.size() < longest_chain) {
      into.push_back(*event);
      const auto next = event->cause.caused_by;
      if (next == 0) return true;
      event = find(next);
    }
    return event != nullptr;
  }

  [[nodiscard]] const Event* find(std::uint64_t sequence) const {
    const auto found = by_sequence_.find(sequence);
    return found == by_sequence_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<std::uint64_t, const Event*> by_sequence_;
};

// The newest of its own events that explains; of one incident the one that says most.
const Event* explaining(const std::string& path, const std::vector<Event>& events) {
  const Event* best = nullptr;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (event->path != path || !explains(*event)) continue;
    if (!best) {
      best = &*event;
    } else if (event->cause.correlation != best->cause.correlation ||
               best->cause.correlation == 0) {
      break;
    } else if (weight(*event) > weight(*best)) {
      best = &*event;
    }
  }
  return best;
}

std::string now_it(const ChildView& view) {
  using enum ChildPhase;
  switch (view.phase) {
    case running:
      return "was restarted";
    case starting:
    case idle:
    case backing_off:
    case queued:
    case blocked:
    case gated:
      return "is being restarted";
    default:
      return "was stopped";
  }
}

std::string because(const std::string& text) {
  return text.empty() ? "" : ": " + text;
}

std::string decided(const std::string& path, const events::RestartDecided& event) {
  return event.decision ? explain(path, *event.decision) : path + ": decided";
}

// A stop whose reason lies with somebody else: the first link that says whose.
std::string of_others(const std::string& what, const Why& why) {
  for (const auto& event : why.chain) {
    if (const auto* up = body<events::Escalated>(event)) {
      return what + " because " + event.path + " escalated to " + up->to + because(up->reason);
    }
    if (const auto* stop = body<events::ShutdownRequested>(event)) {
      return what + " because " + (event.path == "/" ? "the tree" : event.path) + " was shut down" +
             because(stop->cause);
    }
    const auto* decision = body<events::RestartDecided>(event);
    if (decision && event.path != why.path) {
      return what + " because " + event.path + " failed: " + decided(event.path, *decision);
    }
    const auto* exited = body<events::ChildExited>(event);
    if (exited && event.path != why.path) {
      return what + " because " + event.path + " " + describe(event.body, event.path);
    }
  }
  return what + because(why.chain.empty() ? "" : describe(why.chain.front().body, why.path));
}

// What a command did is told when it is through, so after what it did.
const Event* command_behind(const Event& deed, const std::string& path,
                            const std::vector<Event>& events) {
  for (const auto& event : events) {
    const auto* told = body<events::CommandDone>(event);
    if (told && event.sequence > deed.sequence && told->child == path && told->result == "done") {
      return &event;
    }
  }
  return nullptr;
}

std::string sentence_for(const Event& event, const Why& why, const std::vector<Event>& events) {
  if (const auto* decision = body<events::RestartDecided>(event)) {
    return decided(why.path, *decision);
  }
  const auto* stopping = body<events::ChildStopping>(event);
  const bool by_command =
      stopping ? stopping->cause == StopCause::command
               : is<events::ChildPaused>(event) || is<events::ChildSuspended>(event) ||
                     is<events::ChildResumed>(event) || why.view.intent == Intent::quarantined;
  if (!by_command) {
    return stopping ? of_others(why.path + " " + now_it(why.view), why)
                    : why.path + " " + describe(event.body, why.path);
  }
  const auto what = why.path + " " + (stopping ? now_it(why.view) : describe(event.body, why.path));
  const auto* command = command_behind(event, why.path, events);
  return what + (command ? " by a command: " + describe(command->body, why.path) : " by a command");
}

std::string without_events(const Why& why) {
  if (why.decision) return why.decision_text;
  std::string phase = to_string(why.view.phase);
  if (why.view.last_exit) {
    return why.path + " is " + phase + "; it last " +
           describe(events::ChildExited{*why.view.last_exit, {}}, why.path);
  }
  return why.path + " has never failed; it is " + phase + " since its supervisor started it";
}

}  // namespace

Why why_of(const std::string& path, const ChildView& view, const std::vector<Event>& events) {
  Why result{.path = path, .view = view, .decision = view.last_decision};
  if (result.decision) result.decision_text = explain(path, *result.decision);
  const Chain chain{events};
  const auto* start = explaining(path, events);
  // A decision newer than all that is kept, or one whose event is all that is kept.
  const auto own = view.last_cause.caused_by;
  if (result.decision && (!start || start->sequence < own)) start = chain.find(own);
  if (!start) {
    result.complete = !result.decision;
    result.sentence = without_events(result);
    return result;
  }
  result.complete = chain.follow(start, result.chain);
  result.sentence = sentence_for(*start, result, events);
  return result;
}

}  // namespace espalier::supervisor
