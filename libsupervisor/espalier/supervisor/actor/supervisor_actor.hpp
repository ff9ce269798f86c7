#pragma once

#include "espalier/supervisor/actor/child.hpp"
#include "espalier/supervisor/actor/child_protocol.hpp"
#include "espalier/supervisor/actor/public_face.hpp"
#include "espalier/supervisor/actor/tree_services.hpp"
#include "espalier/supervisor/core/engine.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier::supervisor {

/// Hears how a supervisor fares: its parent, or whoever launched the tree. Called on the
/// supervisor's thread; must be quick.
class Uplink {
 public:
  virtual ~Uplink() = default;
  virtual void up() = 0;
  /// Exactly once, last, however the supervisor ended.
  virtual void finished(const effect::Finished& how) = 0;
};

struct SupervisorStart {
  std::shared_ptr<TreeServices> services = {};
  std::shared_ptr<const SupervisorSpec> spec = {};
  std::shared_ptr<const PoolSpec> pool = {};  ///< Instead of `spec`.
  std::string path = "/";
  std::shared_ptr<Uplink> uplink = {};
  std::shared_ptr<ReportLine> line = {};
  Cause cause = {};
};

/// Runs one SupervisorEngine: turns messages, DOWNs and timers into inputs and effects into
/// children, messages and events. Holds no policy of its own and never runs a child's code.
class SupervisorState {
 public:
  static constexpr const char* name = "supervisor";  // Read after the state is gone: static.
  /// Children begun while one message is worked on; more would keep exits and commands waiting.
  static constexpr int starts_per_turn = 256;

  explicit SupervisorState(caf::event_based_actor* self) : self_(self) {}
  ~SupervisorState();  ///< Ends what still lives: a supervisor that dies leaves no orphans.
  SupervisorState(const SupervisorState&) = delete;
  SupervisorState& operator=(const SupervisorState&) = delete;

  caf::behavior make_behavior(SupervisorStart start);

 private:
  struct Life {
    Generation generation = 0;
    std::unique_ptr<Child> child = {};
  };
  struct Watched {
    ChildIndex child = 0;
    Generation generation = 0;
  };

  void feed(Input what);
  void refuse_blank(const input::Order& order);
  void decide(const Input& what);
  void work();
  void on_down(const caf::down_msg& down);
  void arm_timer();
  void carry_out(const effect::StartChild& x);
  void carry_out(const effect::StopChild& x);
  void carry_out(const effect::AbortChild& x);
  void carry_out(const effect::AbandonChild& x);
  void carry_out(const effect::SuspendChild& x);
  void carry_out(const effect::RunProbe& x);
  void carry_out(const effect::CancelProbe& x);
  void carry_out(const effect::RequestAdmission& x);
  void carry_out(const effect::EndAdmission& x);
  void carry_out(const effect::Reply& x);
  void carry_out(const effect::ChildCreated& x);
  void carry_out(const effect::EndTree& x);
  void carry_out(effect::Emit& x);
  void carry_out(const effect::TreeUp& x);
  void carry_out(const effect::Finished& x);
  [[nodiscard]] std::unique_ptr<Child> start_child(const effect::StartChild& x);
  [[nodiscard]] Child* live(ChildIndex child, Generation generation);
  void forget(ChildIndex child, Generation generation);
  [[nodiscard]] std::string path_of(ChildIndex child) const;
  [[nodiscard]] effect::Finished unexpected_end() const;
  [[nodiscard]] SupervisorInfo info() const;
  [[nodiscard]] Error end_for_others() const;

  caf::event_based_actor* self_;
  SupervisorStart with_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<PublicFace> face_;
  std::deque<Input> inbox_;     // Effects make inputs; they wait their turn here.
  std::deque<Effect> effects_;  // Not yet carried out, in order.
  bool working_ = false;
  bool turn_pending_ = false;
  bool finished_ = false;
  std::vector<Life> lives_;  // By ChildIndex.
  std::unordered_map<caf::actor_id, Watched> watched_;
  std::map<std::pair<ChildIndex, input::ProbePurpose>, ProbeToken> probes_;
  std::uint64_t timer_ = 0;  // CAF 0.17 cannot cancel a timer; older numbers are ignored.
  std::optional<TimePoint> armed_for_;
  TimePoint now_;
  std::string fault_;  // Of an exception in this actor.
};

/// The actor itself. Where the system runs on our Scheduler it waits in the lane for supervisors,
/// which no other actor, busy or blocked, can hold up.
class SupervisorActor final : public caf::stateful_actor<SupervisorState> {
 public:
  SupervisorActor(caf::actor_config& config, SupervisorStart start);

  using caf::stateful_actor<SupervisorState>::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* unit) override;
  void launch(caf::execution_unit* unit, bool lazy, bool hide) override;

 protected:
  caf::behavior make_behavior() override;

 private:
  SupervisorStart start_;
  caf::execution_unit* lane_;  // Null on other schedulers.
};

}  // namespace espalier::supervisor
