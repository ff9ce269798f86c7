#pragma once

#include "espalier/supervisor/runtime/command_router.hpp"
#include "espalier/supervisor/runtime/event_hub.hpp"
#include "simulation/fault.hpp"
#include "simulation/world.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::simulation {

/// Makes faults happen, and holds the tree to what it owes those outside: one answer to each
/// command, each event or the count of those lost, an end in time.
class Injector {
 public:
  Injector(World& world, std::shared_ptr<TreeServices> services, SupervisorSpec spec,
           std::function<void(Duration)> jump);

  void apply(const Fault& fault);
  void stop(std::optional<Duration> limit);
  /// When the tree must have ended; empty: nobody has told it to.
  [[nodiscard]] std::optional<TimePoint> stop_due() const { return stop_due_; }
  /// What holds only once the tree has ended and `published` events have come.
  void check_end(std::uint64_t published);

 private:
  struct Reader {
    EventSubscription subscription;
    std::uint64_t last = 0;
    std::uint64_t got = 0;
  };

  void happen(const Fault& fault);
  void happen_to(const std::shared_ptr<Life>& life, const Fault& fault);
  void misbehave(Manners& manners, const Fault& fault);
  void command(const Fault& fault);
  void execute(Command command);
  void read(Reader& reader);

  World& world_;
  std::shared_ptr<TreeServices> services_;
  SupervisorSpec spec_;
  CommandRouter router_;
  std::function<void(Duration)> jump_;
  std::shared_ptr<EventHub> hub_ = std::make_shared<EventHub>();
  std::vector<Reader> readers_;
  std::vector<int> answers_;  ///< To each command so far.
  Duration longest_stop_ = Duration::zero();
  std::optional<TimePoint> stop_due_;
};

}  // namespace espalier::simulation
