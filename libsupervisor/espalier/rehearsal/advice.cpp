#include "espalier/rehearsal/advice.hpp"

#include "espalier/rehearsal/rehearse.hpp"
#include "espalier/supervisor/core/decision.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace espalier::rehearsal {

namespace sv = supervisor;
using namespace std::chrono_literals;
using Kind = storm::Incident::Kind;

namespace {

constexpr sv::Duration horizon = 1h;
constexpr sv::Duration in_the_middle = 10min;
constexpr std::uint64_t enough_starts = 5'000;

Storm always_fails(const std::string& path) {
  Storm storm;
  storm.incidents.push_back(
      {.at = in_the_middle, .kind = Kind::outage, .path = path, .lasts = horizon, .after = 10ms});
  return storm;
}

const ChildRecord* record_of(const Report& report, const std::string& path) {
  const auto found = std::find_if(report.children.begin(), report.children.end(),
                                  [&](const auto& child) { return concerns(path, child.path); });
  return found == report.children.end() ? nullptr : &*found;
}

std::uint64_t others_restarted(const Report& report, const std::string& path) {
  return static_cast<std::uint64_t>(std::count_if(
      report.children.begin(), report.children.end(),
      [&](const auto& child) { return !concerns(path, child.path) && child.starts > 1; }));
}

std::string times(std::uint64_t count, const std::string& what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

/// What becomes of the child and of the others; empty: it has never run.
std::string when_it_always_fails(const sv::SupervisorSpec& tree, const std::string& path) {
  const auto report = rehearse(tree, always_fails(path),
                               {.length = in_the_middle + horizon, .most_starts = enough_starts});
  const auto* child = record_of(report, path);
  if (!child) return {};
  std::string text = times(child->failures, "failure");
  if (report.ended_at) {
    text += ", and the whole tree has ended after " + sv::human(*report.ended_at - in_the_middle);
  } else if (child->last_state == "quarantined") {
    text += ", then it is quarantined until somebody resumes it";
  } else if (child->last_state == "failed" || child->last_state == "stopped") {
    text += ", then it stays down, and the others go on without it";
  } else if (report.cut_short) {
    text += " and no end: it is restarted without a limit and nearly without a pause";
  } else {
    text +=
        " in the first hour and no end: it is restarted for ever, with pauses that grow as its "
        "back-off says";
  }
  if (const auto others = others_restarted(report, path); others > 0)
    text += "; " + times(others, "other") + (others == 1 ? " is" : " are") + " restarted with it";
  if (report.escalation_count > 0 && !report.ended_at)
    text += "; escalates " + times(report.escalation_count, "time");
  return text;
}

bool would_be_noticed(const sv::SupervisorSpec& tree, const std::string& path) {
  Storm storm;
  storm.incidents.push_back({.at = in_the_middle, .kind = Kind::hang, .path = path});
  const auto report = rehearse(tree, storm, {.length = in_the_middle + horizon});
  const auto unnoticed = [](const Outage& outage) { return outage.unnoticed; };
  return std::none_of(report.worst.begin(), report.worst.end(), unnoticed);
}

std::string when_nobody_stops(const sv::SupervisorSpec& tree) {
  Storm storm;
  for (const auto& path : leaf_paths(tree))
    storm.paces.push_back({.path = path, .ignores_stop = true});
  storm.incidents.push_back({.at = in_the_middle, .kind = Kind::shutdown, .path = "/"});
  const auto report = rehearse(tree, storm, {.length = in_the_middle + 24h});
  if (!report.ended_at) return "a shutdown that every child ignores does not end within a day";
  return "a shutdown that every child ignores takes " + sv::human(*report.ended_at - in_the_middle);
}

/// Same sentence, one line: "/a, /b: ...".
class Lines {
 public:
  void add(const std::string& path, const std::string& text) {
    if (text.empty()) return;
    if (!who_.contains(text)) order_.push_back(text);
    who_[text].push_back(path);
  }
  [[nodiscard]] std::vector<std::string> all(const std::string& lead) const {
    constexpr std::size_t most = 6;
    std::vector<std::string> lines;
    for (const auto& text : order_) {
      const auto& paths = who_.at(text);
      std::string names;
      for (std::size_t i = 0; i < std::min(most, paths.size()); ++i)
        names += (i > 0 ? ", " : "") + paths[i];
      if (paths.size() > most) names += " and " + std::to_string(paths.size() - most) + " more";
      lines.push_back(names + ": " + lead + text);
    }
    return lines;
  }

 private:
  std::map<std::string, std::vector<std::string>> who_;
  std::vector<std::string> order_;
};

void append(std::vector<std::string>& to, std::vector<std::string> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<std::string> advice_for(const sv::SupervisorSpec& tree) {
  Lines failing;
  Lines hanging;
  for (const auto& path : leaf_paths(tree)) {
    try {
      failing.add(path, when_it_always_fails(tree, path));
    } catch (const std::logic_error&) {
      failing.add(path, "no end, and no pause between: it would keep a processor busy");
    }
    if (!would_be_noticed(tree, path))
      hanging.add(path, "would not be noticed: no watchdog and no health check");
  }
  std::vector<std::string> lines;
  append(lines, failing.all("if it fails 10 ms after each start: "));
  append(lines, hanging.all("a hang "));
  lines.push_back(when_nobody_stops(tree));
  return lines;
}

}  // namespace espalier::rehearsal
