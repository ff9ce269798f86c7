#include "espalier/rehearsal/rehearse.hpp"

#include "espalier/rehearsal/chronicle.hpp"
#include "espalier/testing/virtual_tree.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace espalier::rehearsal {

namespace sv = supervisor;
using Kind = storm::Incident::Kind;

namespace {

/// One thing to do at its time.
struct Blow {
  sv::Duration at = {};
  const storm::Incident* what = nullptr;
};

std::vector<Blow> blows_of(const Storm& storm) {
  std::vector<Blow> blows;
  for (const auto& one : storm.incidents) {
    if (!one.strikes) continue;
    const auto times = one.kind == Kind::exit ? std::max<std::uint64_t>(one.times, 1) : 1;
    const auto gap =
        times > 1 ? one.within / static_cast<sv::Duration::rep>(times - 1) : sv::Duration{};
    for (std::uint64_t i = 0; i < times; ++i)
      blows.push_back({one.at + static_cast<sv::Duration::rep>(i) * gap, &one});
  }
  std::stable_sort(blows.begin(), blows.end(),
                   [](const Blow& a, const Blow& b) { return a.at < b.at; });
  return blows;
}

class Stage {
 public:
  Stage(const sv::SupervisorSpec& spec, const Storm& storm, const RehearsalOptions& options)
      : storm_(storm),
        options_(options),
        tree_(spec, options.seed),
        paths_(leaf_paths(spec)),
        chronicle_(options.length) {
    for (const auto& path : paths_)
      give_script(path);
  }

  Report run() {
    const auto blows = blows_of(storm_);
    for (auto next = blows.begin(); next != blows.end() && next->at <= options_.length; ++next) {
      if (!go_to(next->at)) break;
      strike(*next->what);
    }
    go_to(options_.length);
    // Of a tree that has ended the rest of the time counts as well.
    auto report = chronicle_.close(tree_.end() ? options_.length : tree_.now());
    report.cut_short = starts_ >= options_.most_starts;
    return report;
  }

 private:
  void give_script(const std::string& path) {
    auto& script = tree_.child(path);
    for (const auto& pace : storm_.paces) {
      if (!concerns(pace.path, path)) continue;
      script.ready_after(pace.ready_after).stops_after(pace.stops_after);
      if (pace.ignores_stop) script.ignores_stop();
    }
    const auto seed = options_.seed ^ std::hash<std::string>{}(path);
    if (auto fate = fate_of(storm_, path, seed)) script.ends_as(std::move(fate));
  }

  /// In steps, so that the events of a long time are never all in memory. False: the tree ended.
  bool go_to(sv::Duration until) {
    constexpr auto step = std::chrono::minutes{10};
    while (tree_.now() < until && !tree_.end() && starts_ < options_.most_starts) {
      tree_.advance(std::min<sv::Duration>(step, until - tree_.now()));
      hear();
    }
    hear();
    return !tree_.end() && starts_ < options_.most_starts;
  }

  void hear() {
    if (tree_.now() == sv::Duration{}) tree_.advance({});
    for (const auto& event : tree_.take_events()) {
      starts_ += std::holds_alternative<sv::events::ChildStarting>(event.body) ? 1 : 0;
      chronicle_.note(event.monotonic - sv::TimePoint{}, event.path, event.body);
      remember(event.path);
    }
  }

  /// Instances of pools show by what happens to them.
  void remember(const std::string& path) {
    if (heard_.insert(path).second && is_instance(path)) paths_.push_back(path);
  }
  [[nodiscard]] bool is_instance(const std::string& path) const {
    return std::any_of(paths_.begin(), paths_.end(),
                       [&](const std::string& pool) { return path.starts_with(pool + "/"); });
  }

  void strike(const storm::Incident& what) {
    if (what.kind == Kind::shutdown) {
      chronicle_.shutdown_wanted();
      tree_.shutdown("the script");
    } else if (what.kind == Kind::start || what.kind == Kind::stop || what.kind == Kind::restart) {
      order(what);
    } else {
      hit(what);
    }
    hear();
  }

  void hit(const storm::Incident& what) {
    bool met = false;
    const auto paths = paths_;
    for (const auto& path : paths) {
      if (!concerns(what.path, path)) continue;
      const bool is_alive =
          what.kind == Kind::hang ? tree_.hang(path) : tree_.exit(path, what.exit);
      met = met || is_alive;
      if (is_alive && what.kind == Kind::hang) chronicle_.hangs(tree_.now(), path);
    }
    if (!met) chronicle_.missed();
  }

  void order(const storm::Incident& what) {
    sv::Command command;
    command.kind = what.kind == Kind::start  ? sv::CommandKind::start_child
                   : what.kind == Kind::stop ? sv::CommandKind::stop_child
                                             : sv::CommandKind::restart_child;
    command.path = what.path;
    command.meta.requested_by = "the script";
    command.meta.reason = "rehearsal";
    tree_.order(std::move(command));
  }

  const Storm& storm_;
  const RehearsalOptions& options_;
  testing::VirtualTree tree_;
  std::vector<std::string> paths_;
  std::set<std::string> heard_;
  Chronicle chronicle_;
  std::uint64_t starts_ = 0;
};

}  // namespace

Report rehearse(const sv::SupervisorSpec& tree, const Storm& storm,
                const RehearsalOptions& options) {
  return Stage(tree, storm, options).run();
}

}  // namespace espalier::rehearsal
