#pragma once

#include "espalier/supervisor/core/admission.hpp"
#include "espalier/supervisor/core/engine.hpp"
#include "espalier/testing/virtual_tree.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace espalier::testing {

namespace sv = supervisor;

/// Plays the world for a tree of engines: carries their effects out on scripted children and
/// brings them what follows, each at its instant, in the order in which it was caused.
class VirtualTree::Impl {
 public:
  Impl(sv::SupervisorSpec spec, std::uint64_t seed);

  void advance(sv::Duration by);
  bool exit(const std::string& path, sv::ExitRecord exit);
  bool hang(const std::string& path);
  void shutdown(const std::string& cause);
  std::uint64_t order(sv::Command command);

  [[nodiscard]] std::optional<sv::ChildView> state(const std::string& path) const;
  [[nodiscard]] sv::Duration since_begin() const { return now_ - sv::TimePoint{}; }

  std::map<std::string, ChildScript> scripts;
  std::map<std::uint64_t, sv::CommandResult> replies;
  std::vector<sv::Event> events;
  std::vector<Step> steps;
  std::optional<TreeEnd> end;

 private:
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  /// One attempt of a child.
  struct Life {
    sv::Generation generation = 0;
    std::shared_ptr<const ChildScript> script = {};
    sv::TimePoint began = {};
    NodePtr subtree = {};
    bool alive = false;
    bool hangs = false;
  };
  /// A child that is no supervisor, and lives.
  struct Leaf {
    NodePtr node = {};
    sv::ChildIndex child = 0;
  };
  /// One supervisor, with its place in its parent.
  struct Node {
    std::uint64_t number = 0;
    std::string path = {};
    bool is_pool = false;
    std::unique_ptr<sv::Engine> engine = {};
    std::weak_ptr<Node> parent = {};
    sv::ChildIndex child = 0;
    sv::Generation generation = 0;
    std::vector<Life> lives = {};
  };
  using AdmissionKey = std::tuple<std::uint64_t, sv::ChildIndex, std::uint64_t>;

  [[nodiscard]] NodePtr add_node(const std::string& path, std::unique_ptr<sv::Engine> engine);
  [[nodiscard]] sv::EngineContext context_for(const std::string& path) const;
  void remove_node(const NodePtr& node);
  [[nodiscard]] NodePtr node_at(const std::string& path) const;
  [[nodiscard]] std::optional<Leaf> leaf_at(const std::string& path) const;
  [[nodiscard]] std::string path_of(const Node& node, sv::ChildIndex child) const;
  /// Null: nothing was said of it.
  [[nodiscard]] ChildScript* script_for(const Node& node, const std::string& path);
  [[nodiscard]] std::size_t children() const;

  void later(sv::Duration delay, std::function<void()> what);
  void feed(const NodePtr& node, sv::Input what);
  void feed_later(const NodePtr& node, sv::Duration delay, sv::Input what);
  void exit_later(const NodePtr& node, sv::ChildIndex child, sv::Duration delay,
                  sv::ExitRecord exit);
  void exit_now(const NodePtr& node, sv::input::ChildExited what);
  void beat(const NodePtr& node, sv::ChildIndex child, sv::Generation generation,
            sv::Duration interval);
  [[nodiscard]] std::optional<sv::TimePoint> next_instant() const;
  void run_instant();
  void wake_due_engines();
  void let_in();
  void note(const char* what, const std::string& path, const std::string& more = {});

  [[nodiscard]] Life* live(Node& node, sv::ChildIndex child, sv::Generation generation);
  void begin_life(const NodePtr& node, const sv::effect::StartChild& x);
  void begin_subtree(const NodePtr& node, const sv::ChildSpec& spec,
                     const sv::effect::StartChild& x);
  void begin_scripted(const NodePtr& node, const sv::ChildSpec& spec,
                      const sv::effect::StartChild& x);

  void carry_out(const NodePtr& node, const sv::effect::StartChild& x);
  void carry_out(const NodePtr& node, const sv::effect::StopChild& x);
  void carry_out(const NodePtr& node, const sv::effect::AbortChild& x);
  void carry_out(const NodePtr& node, const sv::effect::AbandonChild& x);
  void carry_out(const NodePtr& node, const sv::effect::SuspendChild& x);
  void carry_out(const NodePtr& node, const sv::effect::RunProbe& x);
  void carry_out(const NodePtr& node, const sv::effect::CancelProbe& x);
  void carry_out(const NodePtr& node, const sv::effect::RequestAdmission& x);
  void carry_out(const NodePtr& node, const sv::effect::EndAdmission& x);
  void carry_out(const NodePtr& node, const sv::effect::Reply& x);
  void carry_out(const NodePtr& node, const sv::effect::ChildCreated& x);
  void carry_out(const NodePtr& node, const sv::effect::EndTree& x);
  void carry_out(const NodePtr& node, const sv::effect::Emit& x);
  void carry_out(const NodePtr& node, const sv::effect::TreeUp& x);
  void carry_out(const NodePtr& node, const sv::effect::Finished& x);

  sv::TimePoint now_ = {};
  std::uint64_t seed_;
  bool started_ = false;
  std::shared_ptr<std::atomic<std::uint64_t>> sequence_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::uint64_t last_number_ = 0;  // Of nodes, orders, and turns in the agenda.
  std::map<std::pair<sv::TimePoint, std::uint64_t>, std::function<void()>> agenda_;
  std::map<std::uint64_t, NodePtr> nodes_;
  NodePtr root_;
  std::optional<sv::AdmissionGate> gate_;
  std::map<AdmissionKey, std::uint64_t> admission_ids_;
};

}  // namespace espalier::testing
