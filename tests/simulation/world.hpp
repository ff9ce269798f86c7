#pragma once

#include "espalier/supervisor/actor/attempt.hpp"
#include "espalier/supervisor/actor/child.hpp"

#include <caf/behavior.hpp>
#include <caf/detail/test_actor_clock.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace espalier::simulation {

using namespace supervisor;
using std::chrono::milliseconds;

class WatchedEngine;

/// How the children of one path behave; well, unless a fault says otherwise.
struct Manners {
  std::uint32_t failing_starts = 0;  ///< So many of the next starts throw.
  bool never_ready = false;
  bool mute = false;  ///< Gives no sign of life.
  bool ignores_stop = false;
  bool ignores_abort = false;
  Duration stop_takes = Duration::zero();
};

/// How a life ends by itself.
struct Last {
  ExitKind kind = ExitKind::completed;
  FailureCategory category = FailureCategory::none;
  std::string text = {};
};

/// One incarnation of a child, as the world knows it and not its supervisor.
struct Life {
  AttemptId id = {};
  std::shared_ptr<ChildContext> context = {};
  std::shared_ptr<Attempt> attempt = {};  ///< Of a fake; else an actor lives it.
  caf::actor actor = {};
  bool asked = false;
  bool aborted = false;
  bool abandoned = false;
  bool may_have_company = false;  ///< An orphan, and an operator knows what he does.
  bool is_process = false;

  [[nodiscard]] std::uint64_t number() const { return shown(id.generation); }
};

/// What is true, whatever the supervisors believe: the clock, who lives, who behaves how, and what
/// is due. All chance comes from one generator, so that a seed is a history.
///
/// It hands itself to the fake children as the output sink of the tree, which no scripted child
/// needs otherwise.
class World final : public OutputSink {
 public:
  World(std::uint64_t seed, caf::detail::test_actor_clock& clock) : random_(seed), clock_(clock) {}

  [[nodiscard]] TimePoint now() const { return clock_.now(); }
  [[nodiscard]] std::size_t roll(std::size_t n) { return random_() % n; }
  [[nodiscard]] Duration some(Duration least, Duration most);
  void write(const OutputLine&) override {}

  /// Happens in `delay`, or as soon after as chance has it.
  void later(Duration delay, std::function<void()> what);
  [[nodiscard]] std::optional<TimePoint> next_due() const;
  /// Does one thing that is due; which one is chance. False: nothing is.
  bool do_something_due();

  /// A life begins; throws where manners say that the start fails.
  std::shared_ptr<Life> begin(Life life);
  /// What an actor child of the tree runs.
  caf::behavior live_as_actor(caf::event_based_actor* self, std::shared_ptr<ChildContext> context);
  void asked_to_stop(const std::shared_ptr<Life>& life);
  void told_to_abort(const std::shared_ptr<Life>& life);
  /// Nobody waits for it any longer, nor tells its end, even where it has just come.
  void give_up(const std::string& path, std::uint64_t number);
  /// It ends by itself, now.
  void end(const std::shared_ptr<Life>& life, const Last& last);

  [[nodiscard]] std::shared_ptr<Life> living(const std::string& path) const;
  [[nodiscard]] const std::map<std::string, std::shared_ptr<Life>>& lives() const { return lives_; }
  Manners& manners(const std::string& path) { return manners_[path]; }
  /// An operator starts what is at or below `path` anew, orphans or not.
  void overrule(const std::string& path);
  /// From here on everybody behaves; who was deaf hears what he had been told.
  void heal();

  /// Ends that no event has told yet: path and number of the attempt, with what was said at the
  /// end.
  using Untold = std::map<std::pair<std::string, std::uint64_t>, std::string>;
  Untold& untold() { return untold_; }

  /// Those of the supervisors that live, the oldest first.
  std::vector<WatchedEngine*>& engines() { return engines_; }

  void note(const std::string& line);
  void breach(const std::string& what);
  [[nodiscard]] const std::string& history() const { return history_; }
  [[nodiscard]] const std::vector<std::string>& broken() const { return broken_; }
  [[nodiscard]] std::uint64_t lives_ever() const { return lives_ever_; }

 private:
  void give_signs_of_life(const std::shared_ptr<Life>& life);
  void ended(const std::shared_ptr<Life>& life, const std::string& text);
  void become_ready(const std::shared_ptr<Life>& life);

  std::mt19937_64 random_;
  caf::detail::test_actor_clock& clock_;
  std::multimap<TimePoint, std::function<void()>> agenda_;
  std::map<std::string, std::shared_ptr<Life>> lives_;
  std::map<std::string, Manners> manners_;
  Untold untold_;
  std::vector<WatchedEngine*> engines_;
  std::vector<std::string> broken_;
  std::string history_;
  std::uint64_t lives_ever_ = 0;
};

/// The world of the tree that `services` belong to.
[[nodiscard]] World& world_of(const TreeServices& services);

}  // namespace espalier::simulation

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(espalier::simulation::Last)
