#pragma once

#include "espalier/rehearsal/report.hpp"
#include "espalier/supervisor/core/event.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace espalier::rehearsal {

/// Makes a Report of the events of a tree, one after the other, in memory that does not grow with
/// their number. Times are those since the begin of what is reported. Thread rule: one thread.
class Chronicle {
 public:
  /// `slices`: in how many pieces the time of each child is kept.
  explicit Chronicle(supervisor::Duration length, std::size_t slices = 480);

  void note(supervisor::Duration at, const std::string& path, const supervisor::EventBody& what);
  /// The child does nothing from now on, whether anybody has noticed or not.
  void hangs(supervisor::Duration at, const std::string& path);
  /// An end of the tree from now on is what somebody wanted.
  void shutdown_wanted() { shutdown_wanted_ = true; }
  void missed() { ++report_.missed; }

  /// Everything up to `end`, which is `length` unless the record is shorter.
  [[nodiscard]] Report close(supervisor::Duration end);

 private:
  struct Child {
    ChildRecord record = {};
    bool wanted = false;          ///< It was ready once, and nobody has stopped it since.
    bool planned = false;         ///< Is being stopped because somebody said so.
    bool ended_for_good = false;  ///< Until somebody starts it again.
    bool down = false;
    bool failed_last = false;
    bool hung = false;
    supervisor::Duration wanted_since = {};
    std::optional<supervisor::Duration> quarantined_since = {};
    Outage outage = {};
  };
  using Time = supervisor::Duration;

  Child& child(const std::string& path);
  void begins_anew(Time at);
  void note_child(Time at, Child& child, const supervisor::EventBody& what,
                  const std::string& path);
  void note_tree(Time at, const std::string& path, const supervisor::EventBody& what);
  void exited(Time at, Child& child, const supervisor::events::ChildExited& what,
              const std::string& cause);
  void goes_down(Time at, Child& child, const std::string& cause);
  void comes_up(Time at, Child& child);
  void ends_outage(Time at, Child& child, bool open);
  void no_longer_wanted(Time at, Child& child, const std::string& state);
  void restarted(Time at, Child& child);
  void escalates(Time at, const std::string& path, const std::string& what);
  [[nodiscard]] Slice& slice(Child& child, Time at);
  template <class Mark>
  void spread(Child& child, Time from, Time to, Mark mark);

  Report report_;
  Time slice_length_;
  std::size_t slices_;
  std::map<std::string, Child> children_;
  std::set<std::string> supervisors_;
  bool shutdown_wanted_ = false;
  Time minute_ = {};
  std::uint64_t restarts_in_minute_ = 0;
};

}  // namespace espalier::rehearsal
