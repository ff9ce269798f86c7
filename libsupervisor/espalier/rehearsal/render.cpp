#include "espalier/rehearsal/render.hpp"

#include "espalier/supervisor/core/decision.hpp"
#include "espalier/supervisor/observe/json_object.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

namespace espalier::rehearsal {

namespace sv = supervisor;
using Row = std::vector<std::string>;

namespace {

std::string plural(std::uint64_t count, const std::string& one, const std::string& more = {}) {
  return std::to_string(count) + ' ' + (count == 1 ? one : more.empty() ? one + 's' : more);
}

/// Columns as wide as their widest cell; the first one to the left, numbers to the right.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - row[i].size(), ' ');
      const bool to_the_left = i == 0 || i + 1 == widths.size();
      line += (i > 0 ? "  " : "") + (to_the_left ? row[i] + gap : gap + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string first_lines(const Report& report) {
  std::string text = plural(report.children.size(), "child", "children") + ", " +
                     plural(report.failures, "failure") + ", " +
                     plural(report.restarts, "restart") + ", " +
                     plural(report.fuses, "limit reached", "limits reached") + ", " +
                     plural(report.escalation_count, "escalation") + ".\n";
  if (!report.ended_at)
    text += "The tree stood to the end.\n";
  else
    text += (report.failed ? "THE TREE ENDED after " : "The tree was shut down after ") +
            moment(*report.ended_at) + (report.failed ? ": " + report.end_reason : "") + ".\n";
  if (report.cut_short)
    text += "Cut short: so many starts that it would hardly have come to its end.\n";
  if (report.most_restarts_a_minute > 1)
    text += "Most restarts in a minute: " + std::to_string(report.most_restarts_a_minute) +
            ", from " + moment(report.busiest_minute) + " on.\n";
  if (report.missed > 0)
    text += plural(report.missed, "event") + " of the script met nobody: the child was not up.\n";
  return text;
}

std::string child_table(const Report& report) {
  std::vector<Row> rows = {{"Child", "starts", "failures", "restarts", "outages", "down", "longest",
                            "available", "at the end"}};
  for (const auto& child : report.children)
    rows.push_back({child.path, std::to_string(child.starts), std::to_string(child.failures),
                    std::to_string(child.restarts), std::to_string(child.outages),
                    sv::human(child.down), sv::human(child.longest), percent(child.availability()),
                    child.last_state});
  return table(rows);
}

std::string worst_lines(const Report& report) {
  if (report.worst.empty()) return {};
  std::string text = "\nWorst moments\n";
  for (const auto& outage : report.worst) {
    text += "  " + moment(outage.from) + "  " + outage.path + " down for " +
            sv::human(outage.length) + (outage.open ? " and still at the end" : "") + ": " +
            outage.cause;
    if (outage.attempts > 1) text += "; " + std::to_string(outage.attempts) + " attempts failed";
    if (outage.unnoticed) text += "; nothing noticed it (no watchdog, no health check)";
    text += '\n';
  }
  return text;
}

std::string escalation_lines(const Report& report) {
  if (report.escalations.empty()) return {};
  std::string text = "\nEscalations\n";
  for (const auto& one : report.escalations)
    text += "  " + moment(one.at) + "  " + one.path + ' ' + one.what + '\n';
  const auto more = report.escalation_count - report.escalations.size();
  if (more > 0) text += "  and " + std::to_string(more) + " more\n";
  return text;
}

std::string change(double before, double after) {
  if (before == after) return "same";
  if (before == 0) return "new";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%+.0f %%", 100 * (after - before) / before);
  return text.data();
}

double seconds_of(sv::Duration length) {
  return std::chrono::duration<double>(length).count();
}

std::string end_of(const Report& report) {
  if (!report.ended_at) return "stood";
  return (report.failed ? "ended " : "shut down ") + moment(*report.ended_at);
}

}  // namespace

std::string moment(sv::Duration at) {
  using namespace std::chrono;
  const auto days = duration_cast<hours>(at).count() / 24;
  const auto rest = at - hours{24 * days};
  const auto of_day = duration_cast<seconds>(rest).count();
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d", static_cast<int>(of_day / 3600),
                static_cast<int>(of_day / 60 % 60), static_cast<int>(of_day % 60));
  return days == 0 ? std::string(text.data()) : std::to_string(days) + " d " + text.data();
}

std::string percent(double share) {
  std::array<char, 32> text{};
  // Rounded down: "100 %" is a promise.
  std::snprintf(text.data(), text.size(), "%.3f %%", std::floor(share * 100'000) / 1000);
  return share >= 1 ? "100 %" : text.data();
}

std::string report_text(const Report& report, std::size_t width) {
  auto text = first_lines(report) + '\n' + child_table(report);
  text += worst_lines(report) + escalation_lines(report);
  return text +
         "\nTimeline: . served, + x # down for a little, more, most of the time, Q quarantined\n" +
         timeline_text(report, width);
}

std::string comparison_text(const Column& before, const Column& after) {
  const auto& a = *before.report;
  const auto& b = *after.report;
  const auto count = [](std::uint64_t n) { return static_cast<double>(n); };
  std::vector<Row> rows = {{"", before.title, after.title, "change"}};
  const auto add = [&rows](const std::string& what, std::uint64_t x, std::uint64_t y,
                           const auto& as) {
    rows.push_back({what, std::to_string(x), std::to_string(y), change(as(x), as(y))});
  };
  add("failures", a.failures, b.failures, count);
  add("restarts", a.restarts, b.restarts, count);
  add("escalations", a.escalation_count, b.escalation_count, count);
  add("quarantines", a.quarantines, b.quarantines, count);
  add("limits reached", a.fuses, b.fuses, count);
  rows.push_back({"time down, all children", sv::human(a.down()), sv::human(b.down()),
                  change(seconds_of(a.down()), seconds_of(b.down()))});
  const auto longest = [](const Report& r) {
    return r.worst.empty() ? sv::Duration{} : r.worst.front().length;
  };
  rows.push_back({"longest outage", sv::human(longest(a)), sv::human(longest(b)),
                  change(seconds_of(longest(a)), seconds_of(longest(b)))});
  rows.push_back({"the tree", end_of(a), end_of(b), end_of(a) == end_of(b) ? "same" : ""});
  rows.push_back({});
  rows.push_back({"Time down of", before.title, after.title, "change"});
  for (const auto& child : a.children) {
    const auto same = std::find_if(b.children.begin(), b.children.end(),
                                   [&](const auto& other) { return other.path == child.path; });
    if (same == b.children.end()) {
      rows.push_back({child.path, sv::human(child.down), "-", "not there"});
    } else if (child.outages + same->outages > 0) {
      rows.push_back({child.path, sv::human(child.down), sv::human(same->down),
                      change(seconds_of(child.down), seconds_of(same->down))});
    }
  }
  return table(rows);
}

namespace {

void append_child(std::string& out, const ChildRecord& child) {
  sv::json::JsonObject json(out);
  json.text("path", child.path);
  json.number("starts", child.starts);
  json.number("failures", child.failures);
  json.number("restarts", child.restarts);
  json.number("quarantines", child.quarantines);
  json.number("outages", child.outages);
  json.ms("down_ms", child.down);
  json.ms("longest_outage_ms", child.longest);
  json.ms("wanted_ms", child.wanted);
  json.text("last_state", child.last_state);
}

void append_outage(std::string& out, const Outage& outage) {
  sv::json::JsonObject json(out);
  json.text("path", outage.path);
  json.ms("at_ms", outage.from);
  json.ms("length_ms", outage.length);
  json.text("cause", outage.cause);
  json.number("attempts", outage.attempts);
  json.flag("open", outage.open);
  json.flag("unnoticed", outage.unnoticed);
}

void append_escalation(std::string& out, const Escalation& escalation) {
  sv::json::JsonObject json(out);
  json.text("path", escalation.path);
  json.ms("at_ms", escalation.at);
  json.text("what", escalation.what);
}

}  // namespace

std::string report_json(const Report& report) {
  std::string out;
  {
    sv::json::JsonObject json(out);
    json.ms("length_ms", report.length);
    json.flag("stood", !report.ended_at);
    if (report.ended_at) json.ms("ended_at_ms", *report.ended_at);
    if (report.ended_at) json.text("end_reason", report.end_reason);
    json.flag("failed", report.failed);
    json.flag("cut_short", report.cut_short);
    json.number("failures", report.failures);
    json.number("restarts", report.restarts);
    json.number("escalations", report.escalation_count);
    json.number("quarantines", report.quarantines);
    json.number("limits_reached", report.fuses);
    json.ms("down_ms", report.down());
    json.number("most_restarts_a_minute", report.most_restarts_a_minute);
    json.ms("busiest_minute_at_ms", report.busiest_minute);
    json.number("missed", report.missed);
    json.array("children", report.children, append_child);
    json.array("worst", report.worst, append_outage);
    json.array("first_escalations", report.escalations, append_escalation);
  }
  return out;
}

}  // namespace espalier::rehearsal
