#pragma once

#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

struct WireEventFilter {
  std::optional<std::string> path = {};
  std::optional<std::vector<std::string>> types = {};
  std::optional<sv::Severity> min_severity = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "A node and all below it; or a pattern with * and **.");
    visit("types", self.types, "Words of docs/events.md; left out: all.");
    visit("min_severity", self.min_severity, "debug (left out), info, warning, error.");
  }
};

/// Where a reader stands in the events of a target.
struct Cursor {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  static void describe(auto& self, auto& visit) {
    visit("epoch", self.epoch, "Of the run of the target.");
    visit("sequence", self.sequence, "Of the last event that was seen.");
  }
};

struct EventsSubscribeParams {
  std::optional<WireEventFilter> filter = {};
  std::optional<Cursor> from = {};
  std::optional<std::uint64_t> replay = {};
  static void describe(auto& self, auto& visit) {
    visit("filter", self.filter, "Which events; left out: all.");
    visit("from", self.from, "Go on after this one.");
    visit("replay", self.replay, "Or begin with so many that were before.");
  }
};

struct SubscribeResult {
  std::string subscription_id = {};
  Cursor cursor = {};
  static void describe(auto& self, auto& visit) {
    visit("subscription_id", self.subscription_id, "For `unsubscribe`.");
    visit("cursor", self.cursor, "Where the lines begin: after this one.");
  }
};

/// Pushed. `event` is one of docs/events.md.
struct EventPush {
  std::string type = "event";
  std::string subscription_id = {};
  RawJson event = {};
  static void describe(auto& self, auto& visit) {
    visit("type", self.type, "event");
    visit("subscription_id", self.subscription_id, "Whose it is.");
    visit("event", self.event, "As event.schema.json says.");
  }
};

/// Pushed where lines are missing.
struct GapPush {
  std::string type = "gap";
  std::string subscription_id = {};
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t count = 0;
  std::string reason = {};
  static void describe(auto& self, auto& visit) {
    visit("type", self.type, "gap");
    visit("subscription_id", self.subscription_id, "Whose it is.");
    visit("from", self.from, "Sequence of the first that may be missing; 0: not known.");
    visit("to", self.to, "Sequence of the last.");
    visit("count", self.count, "How many are missing at most; 0: not known.");
    visit("reason", self.reason, "slow_reader, not_kept, other_epoch.");
  }
};

struct EventsQueryParams {
  std::optional<WireEventFilter> filter = {};
  std::optional<Cursor> before = {};
  std::optional<Cursor> after = {};
  std::optional<std::uint64_t> limit = {};
  static void describe(auto& self, auto& visit) {
    visit("filter", self.filter, "Which events; left out: all.");
    visit("before", self.before, "Those before this one, the newest of them.");
    visit("after", self.after, "Those after this one, the oldest of them.");
    visit("limit", self.limit, "At most so many, 1 to 1000; 100.");
  }
};

struct EventsPage {
  std::vector<RawJson> events = {};
  std::optional<Cursor> next = {};
  bool complete = true;
  static void describe(auto& self, auto& visit) {
    visit("events", self.events, "Oldest first.");
    visit("next", self.next, "Goes on in the same direction; absent: that was all.");
    visit("complete", self.complete, "False: some that would fit are no longer kept.");
  }
};

}  // namespace espalier::ipc
