#include "espalier/rehearsal/chronicle.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

namespace espalier::rehearsal {

namespace sv = supervisor;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_outages = 10;
constexpr std::size_t most_escalations = 20;

bool longer(const Outage& a, const Outage& b) {
  return a.length != b.length ? a.length > b.length : a.from < b.from;
}

}  // namespace

double ChildRecord::availability() const {
  if (wanted <= 0ns) return 1;
  return 1 - static_cast<double>(down.count()) / static_cast<double>(wanted.count());
}

sv::Duration Report::down() const {
  sv::Duration sum{};
  for (const auto& child : children)
    sum += child.down;
  return sum;
}

Chronicle::Chronicle(sv::Duration length, std::size_t slices)
    : slice_length_(
          std::max<Time>(length / static_cast<Time::rep>(std::max<std::size_t>(slices, 1)), 1ns)),
      slices_(std::max<std::size_t>(slices, 1)) {
  report_.length = length;
}

Chronicle::Child& Chronicle::child(const std::string& path) {
  auto [found, is_new] = children_.try_emplace(path);
  if (is_new) {
    found->second.record.path = path;
    found->second.record.slices.resize(slices_);
    found->second.record.last_state = "not started";
  }
  return found->second;
}

Slice& Chronicle::slice(Child& child, Time at) {
  const auto index = static_cast<std::size_t>(std::max<Time>(at, 0ns) / slice_length_);
  return child.record.slices[std::min(index, slices_ - 1)];
}

/// Calls `mark(slice, length)` for each piece of [from, to).
template <class Mark>
void Chronicle::spread(Child& child, Time from, Time to, Mark mark) {
  while (from < to) {
    auto& piece = slice(child, from);
    const auto behind = &piece - child.record.slices.data() + 1;
    const bool is_last = static_cast<std::size_t>(behind) == slices_;
    const auto until = is_last ? to : std::min(to, behind * slice_length_);
    mark(piece, until - from);
    from = until;
  }
}

void Chronicle::note(Time at, const std::string& path, const sv::EventBody& what) {
  if (std::holds_alternative<sv::events::TreeStarting>(what)) {
    supervisors_.insert(path);
    children_.erase(path);
    if (path == "/") begins_anew(at);
  }
  if (supervisors_.contains(path))
    note_tree(at, path, what);
  else
    note_child(at, child(path), what, path);
}

/// Of several runs in one record: what the last one left, a `kill -9` perhaps, is no restart by
/// policy, and how long nothing ran before nobody has written down.
void Chronicle::begins_anew(Time at) {
  report_.ended_at.reset();
  report_.end_reason.clear();
  report_.failed = shutdown_wanted_ = false;
  for (auto& [path, child] : children_) {
    goes_down(at, child, "the program was started again");
    child.ended_for_good = true;
  }
}

void Chronicle::note_tree(Time at, const std::string& path, const sv::EventBody& what) {
  std::visit(
      [&](const auto& x) {
        using X = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<X, sv::events::Escalated>) {
          escalates(at, path, sv::describe(what, path));
        } else if constexpr (std::is_same_v<X, sv::events::FuseTripped>) {
          ++report_.fuses;
        } else if constexpr (std::is_same_v<X, sv::events::ChildQuarantined>) {
          ++report_.quarantines;
        } else if constexpr (std::is_same_v<X, sv::events::TreeStopped>) {
          if (path != "/") return;
          report_.ended_at = at;
          report_.end_reason = x.result;
          report_.failed = x.result != "stopped" || !shutdown_wanted_;
        }
      },
      what);
}

void Chronicle::note_child(Time at, Child& child, const sv::EventBody& what,
                           const std::string& path) {
  std::visit(
      [&](const auto& x) {
        using X = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<X, sv::events::ChildStarting>) {
          ++child.record.starts;
          if (child.record.starts > 1 && !child.ended_for_good) restarted(at, child);
          child.planned = child.ended_for_good = false;
        } else if constexpr (std::is_same_v<X, sv::events::ChildReady>) {
          comes_up(at, child);
        } else if constexpr (std::is_same_v<X, sv::events::ChildStopping>) {
          child.planned = x.cause == sv::StopCause::command ||
                          (x.cause == sv::StopCause::shutdown && shutdown_wanted_);
          if (child.planned) return;
          const bool was_up = !child.down;
          goes_down(at, child, sv::describe(what, path));
          if (was_up) child.outage.for_another = x.cause == sv::StopCause::strategy;
        } else if constexpr (std::is_same_v<X, sv::events::ChildExited>) {
          exited(at, child, x, sv::describe(what, path));
        } else if constexpr (std::is_same_v<X, sv::events::ChildQuarantined>) {
          ++child.record.quarantines;
          ++report_.quarantines;
          child.quarantined_since = at;
          child.record.last_state = "quarantined";
        } else if constexpr (std::is_same_v<X, sv::events::ChildFailed>) {
          child.record.last_state = "failed";
        } else if constexpr (std::is_same_v<X, sv::events::ChildStopped>) {
          if (!child.failed_last && !child.planned) no_longer_wanted(at, child, "completed");
        } else if constexpr (std::is_same_v<X, sv::events::ChildPaused> ||
                             std::is_same_v<X, sv::events::ChildRemoved>) {
          no_longer_wanted(at, child, "stopped");
        } else if constexpr (std::is_same_v<X, sv::events::FuseTripped>) {
          ++report_.fuses;
        } else if constexpr (std::is_same_v<X, sv::events::Escalated>) {
          escalates(at, path, sv::describe(what, path));
        }
      },
      what);
}

void Chronicle::exited(Time at, Child& child, const sv::events::ChildExited& what,
                       const std::string& cause) {
  // One that was asked to stop and had to be killed has not failed.
  const bool asked =
      what.exit.kind == sv::ExitKind::stopped || what.exit.kind == sv::ExitKind::aborted;
  child.failed_last = what.exit.is_failure() && !asked;
  child.hung = false;
  if (child.failed_last) {
    ++child.record.failures;
    ++report_.failures;
  }
  if (child.planned) return no_longer_wanted(at, child, "stopped");
  goes_down(at, child, cause);
  if (child.down) ++child.outage.attempts;
}

void Chronicle::goes_down(Time at, Child& child, const std::string& cause) {
  if (child.down || !child.wanted) return;
  child.down = true;
  child.outage = {.path = child.record.path, .from = at, .cause = cause};
  if (child.record.last_state == "up") child.record.last_state = "down";
}

void Chronicle::hangs(Time at, const std::string& path) {
  auto& one = child(path);
  one.hung = true;
  goes_down(at, one, "hangs");
}

void Chronicle::comes_up(Time at, Child& child) {
  if (child.down) ends_outage(at, child, false);
  if (!child.wanted) child.wanted_since = at;
  child.wanted = true;
  child.record.last_state = "up";
}

void Chronicle::ends_outage(Time at, Child& child, bool open) {
  child.down = false;
  auto outage = std::exchange(child.outage, {});
  outage.length = at - outage.from;
  outage.open = open;
  outage.unnoticed = open && child.hung;
  child.record.down += outage.length;
  child.record.longest = std::max(child.record.longest, outage.length);
  ++child.record.outages;
  spread(child, outage.from, at, [](Slice& piece, Time length) { piece.down += length; });
  if (const auto since = std::exchange(child.quarantined_since, {}))
    spread(child, *since, at, [](Slice& piece, Time) { piece.quarantined = true; });
  if (outage.for_another && !open) return;
  auto& worst = report_.worst;
  worst.insert(std::upper_bound(worst.begin(), worst.end(), outage, longer), std::move(outage));
  if (worst.size() > most_outages) worst.pop_back();
}

void Chronicle::no_longer_wanted(Time at, Child& child, const std::string& state) {
  if (child.down && child.outage.from == at)
    child.down = false;  // That was no outage after all.
  else if (child.down)
    ends_outage(at, child, false);
  if (child.wanted) {
    child.record.wanted += at - child.wanted_since;
    spread(child, child.wanted_since, at, [](Slice& piece, Time) { piece.wanted = true; });
  }
  child.quarantined_since.reset();
  child.wanted = false;
  child.ended_for_good = true;
  child.record.last_state = state;
}

void Chronicle::restarted(Time at, Child& child) {
  ++child.record.restarts;
  ++report_.restarts;
  const auto minute = std::chrono::floor<std::chrono::minutes>(at);
  if (minute != minute_) restarts_in_minute_ = 0;
  minute_ = minute;
  if (++restarts_in_minute_ <= report_.most_restarts_a_minute) return;
  report_.most_restarts_a_minute = restarts_in_minute_;
  report_.busiest_minute = minute;
}

void Chronicle::escalates(Time at, const std::string& path, const std::string& what) {
  ++report_.escalation_count;
  if (report_.escalations.size() < most_escalations)
    report_.escalations.push_back({at, path, what});
}

Report Chronicle::close(Time end) {
  for (auto& [path, child] : children_) {
    if (child.down) ends_outage(end, child, true);
    const auto state = child.record.last_state;
    if (child.wanted) no_longer_wanted(end, child, state);
    report_.children.push_back(std::move(child.record));
  }
  children_.clear();
  return std::move(report_);
}

}  // namespace espalier::rehearsal
