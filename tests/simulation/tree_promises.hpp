#pragma once

#include "simulation/world.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace espalier::simulation {

/// Compares what a tree tells with what is true in its world. Each breach becomes a sentence of
/// World::broken:
///   - event numbers have no gap, none comes twice, and causes come before effects;
///   - generations count up by one, from 1, for as long as a supervisor knows the child;
///   - every end of a life is told exactly once, with its own words, and no end that is none;
///   - no child and no supervisor restarts more often within a window than its limit allows;
///   - nothing begins once the tree has stopped, but below a supervisor that it has given up;
///   - what the boards show is what lives.
class TreePromises final : public EventSink {
 public:
  TreePromises(World& world, TreeServices& services) : world_(world), services_(services) {}

  void publish(const Event& event) override;
  /// Only when no message is on its way.
  void check_quiet();
  /// What holds only once the tree has ended.
  void check_end(const effect::Finished& how);

  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

 private:
  void check_number(const Event& event);
  void check_start(const Event& event);
  void check_exit(const Event& event, const events::ChildExited& body);
  void check_limits(const Event& event, const RestartDecision& decision);
  void check_window(const std::string& what, const RestartLimit& limit,
                    std::deque<TimePoint>& times);
  void forget_below(const std::string& path);
  void check_board(const std::string& path, const SupervisorEntry& entry);
  void check_row(const std::string& path, const BoardRow& row, bool is_ended);

  World& world_;
  TreeServices& services_;
  std::uint64_t events_ = 0;
  std::uint64_t restarts_ = 0;
  std::uint64_t highest_ = 0;
  std::set<std::uint64_t> ahead_;  ///< Numbers above `complete_` that have come.
  std::uint64_t complete_ = 0;     ///< All numbers up to here have come.
  bool over_ = false;
  std::set<std::string> given_up_;                     ///< Paths of those that could not be ended.
  std::map<std::string, std::uint64_t> generations_;   ///< By child.
  std::map<std::string, std::deque<TimePoint>> used_;  ///< Restarts by child, and by supervisor/.
};

}  // namespace espalier::simulation
