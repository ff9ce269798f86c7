#include "espalier/cli/rehearsal/recorded.hpp"

#include "espalier/rehearsal/chronicle.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/observe/journal_reader.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using Kind = rehearsal::storm::Incident::Kind;

constexpr sv::Duration soon = 1min;

/// One event, as far as it matters here.
struct Line {
  sv::Duration at = {};  ///< Since 1970.
  std::string path = {};
  sv::EventBody body = {};
};

struct Failure {
  sv::Duration at = {};
  sv::Duration uptime = {};
  sv::ExitRecord exit = {};
};

/// "2025-11-21T12:00:01.123456Z", counted from 1970.
std::optional<sv::Duration> time_of(const std::string& text) {
  std::tm parts{};
  double seconds = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%lfZ", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &seconds) != 6)
    return std::nullopt;
  parts.tm_year -= 1900;
  --parts.tm_mon;
  const std::chrono::seconds whole{::timegm(&parts)};
  return whole + std::chrono::microseconds(std::llround(seconds * 1e6));
}

template <class Word, std::size_t N>
Word word(const Json& json, const char* key, const std::array<Word, N>& all, Word otherwise) {
  const auto text = json.value(key, std::string());
  for (const auto one : all)
    if (text == to_string(one)) return one;
  return otherwise;
}

sv::Duration milliseconds(const Json& json, const char* key) {
  return std::chrono::microseconds(std::llround(json.value(key, 0.0) * 1e3));
}

sv::ExitRecord exit_of(const Json& json) {
  using enum sv::ExitKind;
  static constexpr std::array kinds = {completed, failed,    panicked, signalled,
                                       timed_out, unhealthy, stopped,  aborted};
  using Category = sv::FailureCategory;
  static constexpr std::array categories = {
      Category::none,         Category::recoverable, Category::external_dependency,
      Category::fatal_config, Category::fatal_bug,   Category::timeout,
      Category::panic,        Category::unhealthy,   Category::cancelled};
  sv::ExitRecord exit;
  exit.kind = word(json, "kind", kinds, failed);
  exit.category = word(json, "category", categories, Category::none);
  exit.message = json.value("message", std::string());
  if (const auto code = json.find("code"); code != json.end() && code->is_number_integer())
    exit.code = code->get<int>();
  if (const auto signal = json.find("signal"); signal != json.end() && signal->is_number_integer())
    exit.signal = signal->get<int>();
  return exit;
}

sv::EventBody exited_of(const Json& json) {
  sv::events::ChildExited body;
  if (const auto exit = json.find("exit"); exit != json.end() && exit->is_object())
    body.exit = exit_of(*exit);
  body.uptime = milliseconds(json, "uptime_ms");
  return body;
}

sv::EventBody stopping_of(const Json& json) {
  using enum sv::StopCause;
  static constexpr std::array causes = {strategy, command, shutdown, policy};
  return sv::events::ChildStopping{word(json, "cause", causes, shutdown)};
}

/// Nothing: of no importance here.
std::optional<sv::EventBody> body_of(const Json& json) {
  using namespace sv::events;
  using Make = std::function<sv::EventBody(const Json&)>;
  static const std::map<std::string, Make> makers = {
      {"tree_starting", [](const Json&) { return TreeStarting{}; }},
      {"tree_stopped", [](const Json& j) { return TreeStopped{j.value("result", "")}; }},
      {"child_starting", [](const Json&) { return ChildStarting{}; }},
      {"child_ready", [](const Json&) { return ChildReady{}; }},
      {"child_stopping", stopping_of},
      {"child_exited", exited_of},
      {"child_stopped", [](const Json&) { return ChildStopped{}; }},
      {"child_failed", [](const Json& j) { return ChildFailed{j.value("reason", "")}; }},
      {"child_quarantined", [](const Json& j) { return ChildQuarantined{j.value("reason", "")}; }},
      {"child_paused", [](const Json&) { return ChildPaused{}; }},
      {"child_removed", [](const Json&) { return ChildRemoved{}; }},
      {"child_restarted", [](const Json&) { return ChildRestarted{}; }},
      {"fuse_tripped", [](const Json&) { return FuseTripped{}; }},
      {"escalated",
       [](const Json& j) {
         return Escalated{j.value("to", ""), j.value("reason", "")};
       }},
      {"shutdown_requested",
       [](const Json& j) { return ShutdownRequested{j.value("cause", "")}; }}};
  const auto make = makers.find(json.value("type", std::string()));
  return make == makers.end() ? std::nullopt : std::optional(make->second(json));
}

std::optional<Line> line_of(const std::string& text) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto at = time_of(json.value("at", std::string()));
  auto body = body_of(json);
  if (!at || !body) return std::nullopt;
  return Line{*at, json.value("path", std::string("/")), std::move(*body)};
}

/// What went wrong with one child, failure by failure.
void add_incidents(const std::string& path, const std::vector<Failure>& failures,
                   rehearsal::Storm& storm) {
  for (std::size_t i = 0; i < failures.size(); ++i) {
    const auto& one = failures[i];
    const bool goes_on = i > 0 && one.uptime <= soon;
    const bool will_go_on = i + 1 < failures.size() && failures[i + 1].uptime <= soon;
    if (will_go_on) {
      const auto& next = failures[i + 1];
      storm.incidents.push_back({.at = one.at,
                                 .kind = Kind::outage,
                                 .path = path,
                                 .lasts = next.at - one.at,
                                 .after = next.uptime,
                                 .strikes = !goes_on,
                                 .exit = next.exit});
    } else if (!goes_on) {
      storm.incidents.push_back({.at = one.at, .kind = Kind::exit, .path = path, .exit = one.exit});
    }
  }
}

/// Reads twice: how long it is must be known before it is told.
class Reading {
 public:
  explicit Reading(std::string folder) : folder_(std::move(folder)) {}

  expected<Recorded, std::string> read() {
    Recorded recorded;
    std::optional<Line> first;
    sv::Duration last{};
    const auto measured = each(recorded, [&](const Line& line) {
      if (!first) first = line;
      last = std::max(last, line.at);
    });
    if (!measured.empty()) return unexpected<std::string>(measured);
    if (!first)
      return unexpected<std::string>(folder_ +
                                     ": no event of a tree is in it; is it the right one?");
    recorded.begin = begin_;
    tell(recorded, first->at, std::max<sv::Duration>(last - first->at, 1ms));
    return recorded;
  }

 private:
  /// The sentence says why it cannot be read; empty: it was.
  template <class Use>
  std::string each(Recorded& recorded, Use use) {
    auto reader = sv::JournalReader::open(folder_);
    if (!reader) return reader.error();
    recorded.events = recorded.damaged = 0;
    while (const auto item = reader->next()) {
      if (item->kind == sv::JournalItem::Kind::damage) ++recorded.damaged;
      if (item->kind != sv::JournalItem::Kind::event) continue;
      ++recorded.events;
      const auto line = line_of(item->text);
      if (!line) continue;
      if (begin_.empty()) begin_ = Json::parse(item->text, nullptr, false).value("at", "");
      use(*line);
    }
    return {};
  }

  void tell(Recorded& recorded, sv::Duration begin, sv::Duration length) {
    rehearsal::Chronicle chronicle(length);
    std::map<std::string, std::vector<Failure>> failures;
    static_cast<void>(each(recorded, [&](const Line& line) {
      const auto at = line.at - begin;
      if (std::holds_alternative<sv::events::ShutdownRequested>(line.body) && line.path == "/")
        chronicle.shutdown_wanted();
      chronicle.note(at, line.path, line.body);
      const auto* exited = std::get_if<sv::events::ChildExited>(&line.body);
      if (!exited || !exited->exit.is_failure()) return;
      if (exited->exit.kind == sv::ExitKind::aborted) return;
      failures[line.path].push_back({at, exited->uptime, exited->exit});
    }));
    recorded.report = chronicle.close(length);
    for (const auto& child : recorded.report.children)
      if (const auto found = failures.find(child.path); found != failures.end())
        add_incidents(child.path, found->second, recorded.storm);
  }

  std::string folder_;
  std::string begin_ = {};
};

}  // namespace

expected<Recorded, std::string> read_recorded(const std::string& folder) {
  return Reading(folder).read();
}

}  // namespace espalier::cli
