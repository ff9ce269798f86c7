#pragma once

#include "espalier/supervisor/core/engine.hpp"
#include "espalier/supervisor/core/pool_engine.hpp"
#include "oracle/scenario.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::oracle {

/// The same supervisors made of our engines, in virtual time, with what differs on purpose
/// switched off: no back-off, no limits of single children, a stop without a total time.
///
/// The children, and what an operator has done to them, are kept in books of its own. So what is
/// comparable is decided without asking the engines.
class OurTree {
 public:
  struct Node;

  /// One child as the world sees it.
  struct Member {
    ChildDecl decl = {};
    bool alive = false;
    bool held = false;  ///< Terminated by command and not started since.
    supervisor::ChildIndex index = 0;
    supervisor::Generation generation = 0;
    std::shared_ptr<Node> nested = {};
    std::optional<supervisor::ExitRecord> unseen = {};  ///< Its end, not yet told.
  };

  /// One supervisor that lives.
  struct Node {
    std::string path = {};
    std::shared_ptr<const SupervisorDecl> decl = {};
    std::unique_ptr<supervisor::Engine> engine = {};
    std::weak_ptr<Node> parent = {};
    std::string name = {};  ///< In its parent.
    std::vector<Member> members = {};
    bool is_up = false;
    std::uint64_t grown = 0;  ///< Of a pool: the number of its last instance.

    [[nodiscard]] Member* find(const std::string& wanted);
    [[nodiscard]] const Member* find(const std::string& wanted) const;
    /// Throws where an engine does something about a child that there is none of.
    [[nodiscard]] Member& at(const std::string& wanted);
  };

  explicit OurTree(SupervisorDecl root);

  /// What comes of it. "broken: " and why, should an engine do what none may.
  std::vector<std::string> act(const Action& action);

  /// False: the rows of docs/otp-differences.md that oracle.md names say that the two sides do
  /// different things here, on purpose; or there is nobody to do it to.
  [[nodiscard]] bool is_comparable(const Action& action) const;

  [[nodiscard]] bool ended() const { return ended_; }
  /// Those that live, the root first.
  [[nodiscard]] std::vector<std::shared_ptr<const Node>> supervisors() const;

 private:
  using NodePtr = std::shared_ptr<Node>;

  NodePtr make_node(const std::string& path, std::shared_ptr<const SupervisorDecl> decl);
  /// Null: no such supervisor now.
  [[nodiscard]] NodePtr node_at(const std::string& path) const;

  [[nodiscard]] bool may_exit(const Action& action) const;
  [[nodiscard]] bool awaits_significant(const std::string& path) const;
  [[nodiscard]] bool may_add(const Action& action) const;
  [[nodiscard]] bool may_grow(const Action& action) const;
  [[nodiscard]] bool may_shrink(const Action& action) const;
  [[nodiscard]] bool may_command(const Action& action) const;
  [[nodiscard]] static bool disturbs_held(const Node& node, const std::string& name);
  [[nodiscard]] bool has_failures_ahead(const std::string& path) const;

  void carry_out(const Action& action);
  void end_together(const Action& action);
  void tell_failed_starts();
  void command(const Action& action);
  void add(const Action& action);
  void grow(const Action& action);
  void forget_ended_instances();
  void order(const NodePtr& node, supervisor::CommandKind kind, const std::string& name,
             std::shared_ptr<const supervisor::ChildSpec> spec = {});
  void settle();
  bool pass_time();
  void feed(const NodePtr& node, supervisor::Input what);
  void feed_later(const NodePtr& node, supervisor::Input what);
  void report_exit(const NodePtr& node, Member& member, supervisor::ExitRecord exit);
  void report_failed_start(const NodePtr& node, Member& member, supervisor::ExitRecord exit);
  bool was_unseen(const NodePtr& node, Member& member);

  template <class T>
  void carry_out(const NodePtr&, const T&) {}
  void carry_out(const NodePtr& node, const supervisor::effect::StartChild& x);
  void carry_out(const NodePtr& node, const supervisor::effect::StopChild& x);
  void carry_out(const NodePtr& node, const supervisor::effect::AbortChild& x);
  void carry_out(const NodePtr& node, const supervisor::effect::Reply& x);
  void carry_out(const NodePtr& node, const supervisor::effect::Emit& x);
  void carry_out(const NodePtr& node, const supervisor::effect::TreeUp& x);
  void carry_out(const NodePtr& node, const supervisor::effect::Finished& x);

  [[nodiscard]] std::string running() const;
  void say(const std::string& what, const NodePtr& node, const std::string& name);

  struct Told {
    std::weak_ptr<Node> to = {};
    supervisor::Input what = {};
  };

  NodePtr root_;
  supervisor::TimePoint now_ = {};
  std::map<std::string, std::uint32_t> failures_ = {};
  std::deque<Told> inbox_ = {};
  std::deque<std::pair<std::weak_ptr<Node>, std::string>> failed_starts_ = {};
  std::vector<std::string> lines_ = {};
  std::string reply_ = {};
  std::uint64_t tickets_ = 0;
  std::size_t fed_ = 0;
  bool started_ = false;
  bool ended_ = false;
};

/// "/a/x" is "/a" and "x".
[[nodiscard]] std::pair<std::string, std::string> split_path(const std::string& path);

/// The trace of a whole scenario; it ends with the tree.
[[nodiscard]] Trace trace_of(const Scenario& scenario);

/// Whether all that happens is comparable.
[[nodiscard]] bool is_comparable(const Scenario& scenario);

}  // namespace espalier::oracle
