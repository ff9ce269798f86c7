#include "oracle/our_tree.hpp"

#include "oracle/our_spec.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace espalier::oracle {

namespace sv = supervisor;

namespace {

void forget(OurTree::Node& node, const std::string& name) {
  std::erase_if(node.members, [&](const auto& x) { return x.decl.name == name; });
}

}  // namespace

OurTree::Member* OurTree::Node::find(const std::string& wanted) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const auto& x) { return x.decl.name == wanted; });
  return found == members.end() ? nullptr : &*found;
}

const OurTree::Member* OurTree::Node::find(const std::string& wanted) const {
  return const_cast<Node*>(this)->find(wanted);
}

OurTree::Member& OurTree::Node::at(const std::string& wanted) {
  if (auto* member = find(wanted)) return *member;
  throw std::logic_error("something is done about " + wanted + ", which is gone");
}

OurTree::OurTree(SupervisorDecl root)
    : root_(make_node("/", std::make_shared<const SupervisorDecl>(std::move(root)))) {}

OurTree::NodePtr OurTree::make_node(const std::string& path,
                                    std::shared_ptr<const SupervisorDecl> decl) {
  auto node = std::make_shared<Node>();
  sv::EngineContext context;
  context.path = path;
  context.sequence = std::make_shared<std::atomic<std::uint64_t>>(0);
  node->path = path;
  if (decl->is_pool) {
    node->engine = std::make_unique<sv::PoolEngine>(pool_of(*decl), context);
  } else {
    node->engine = std::make_unique<sv::SupervisorEngine>(spec_of(*decl), context);
    for (const auto& child : decl->children)
      node->members.push_back({child, false, false, 0, 0, {}, {}});
  }
  node->decl = std::move(decl);
  return node;
}

std::vector<std::string> OurTree::act(const Action& action) {
  lines_.clear();
  fed_ = 0;
  try {
    carry_out(action);
  } catch (const std::logic_error& broken) {
    lines_.push_back(std::string{"broken: "} + broken.what());
    ended_ = true;
  }
  if (!reply_.empty()) lines_.push_back("reply " + std::exchange(reply_, {}));
  forget_ended_instances();
  if (ended_) lines_.emplace_back("end");
  if (started_ && !ended_) lines_.push_back(running());
  return std::exchange(lines_, {});
}

void OurTree::carry_out(const Action& action) {
  switch (action.kind) {
    case Action::Kind::start:
      started_ = true;
      feed_later(root_, sv::input::Start{});
      settle();
      break;
    case Action::Kind::fail:
      failures_[action.path] = action.times;
      break;
    case Action::Kind::exits:
      end_together(action);
      break;
    case Action::Kind::shutdown:
      feed_later(root_, sv::input::Stop{"the scenario", {}, {}});
      settle();
      break;
    case Action::Kind::add:
      add(action);
      break;
    case Action::Kind::grow:
      grow(action);
      break;
    default:
      command(action);
  }
}

// All are gone before the first is told. Whoever is told answers before the next is told, as OTP
// restarts before it looks at its next message.
void OurTree::end_together(const Action& action) {
  std::vector<sv::Generation> ended;
  for (const auto& end : action.ends) {
    const auto [over, name] = split_path(end.path);
    auto& member = node_at(over)->at(name);
    member.unseen = exit_of(end.reason);
    ended.push_back(member.generation);
  }
  for (std::size_t i = 0; i < ended.size(); ++i) {
    const auto [over, name] = split_path(action.ends[i].path);
    const auto node = node_at(over);
    auto* member = node ? node->find(name) : nullptr;
    if (member && member->generation == ended[i]) was_unseen(node, *member);
    settle();
  }
  tell_failed_starts();
}

// OTP tries again by a message to itself, which comes after the exits that wait already.
void OurTree::tell_failed_starts() {
  while (!failed_starts_.empty()) {
    const auto [to, name] = std::move(failed_starts_.front());
    failed_starts_.pop_front();
    const auto node = to.lock();
    if (auto* member = node ? node->find(name) : nullptr) was_unseen(node, *member);
    settle();
  }
}

// The first start of a supervisor, nested ones included, is one piece.
void OurTree::report_failed_start(const NodePtr& node, Member& member, sv::ExitRecord exit) {
  member.alive = false;
  member.nested.reset();
  if (!node->is_up) return report_exit(node, member, std::move(exit));
  member.unseen = std::move(exit);
  failed_starts_.emplace_back(node, member.decl.name);
}

bool OurTree::was_unseen(const NodePtr& node, Member& member) {
  if (!member.unseen) return false;
  report_exit(node, member, *std::exchange(member.unseen, std::nullopt));
  return true;
}

void OurTree::add(const Action& action) {
  const auto node = node_at(action.path);
  const auto* old = node->find(action.child.name);
  // OTP has forgotten a temporary child that ended.
  const bool forgotten = old && !old->alive && old->decl.restart == sv::RestartType::temporary;
  const bool is_new = forgotten || !old;
  if (forgotten) {
    order(node, sv::CommandKind::remove_child, action.child.name);
    forget(*node, action.child.name);
  }
  if (is_new) node->members.push_back({action.child, false, false, 0, 0, {}, {}});
  const auto spec = std::make_shared<const sv::ChildSpec>(spec_of(action.child));
  order(node, sv::CommandKind::add_child, {}, spec);
  if (is_new && reply_ != "ok") node->members.pop_back();
}

void OurTree::grow(const Action& action) {
  const auto node = node_at(action.path);
  auto instance = node->decl->children.front();
  instance.name = std::to_string(++node->grown);
  node->members.push_back({instance, false, false, 0, 0, {}, {}});
  order(node, sv::CommandKind::add_child, {});
}

void OurTree::command(const Action& action) {
  using Kind = sv::CommandKind;
  const auto [over, name] = split_path(action.path);
  const auto node = node_at(over);
  const auto kind = action.kind == Action::Kind::terminate ? Kind::stop_child
                    : action.kind == Action::Kind::restart ? Kind::restart_child
                                                           : Kind::remove_child;
  order(node, kind, name);
  if (auto* member = node->find(name)) member->held = kind == Kind::stop_child;
  if (kind == Kind::remove_child) forget(*node, name);
}

void OurTree::forget_ended_instances() {
  for (const auto& known : supervisors()) {
    const auto node = node_at(known->path);
    if (node->decl->is_pool) std::erase_if(node->members, [](auto& x) { return !x.alive; });
  }
}

void OurTree::order(const NodePtr& node, sv::CommandKind kind, const std::string& name,
                    std::shared_ptr<const sv::ChildSpec> spec) {
  auto wish = std::make_shared<sv::Command>();
  wish->kind = kind;
  wish->path = name.empty() ? node->path : sv::join_path(node->path, name);
  wish->meta = {"the oracle", "the scenario says so"};
  wish->spec = std::move(spec);
  reply_ = "none";
  feed_later(node, sv::input::Order{++tickets_, name, std::move(wish)});
  settle();
  tell_failed_starts();
}

OurTree::NodePtr OurTree::node_at(const std::string& path) const {
  if (ended_) return nullptr;
  if (path == "/") return root_;
  const auto [over, name] = split_path(path);
  const auto above = node_at(over);
  const auto* member = above ? above->find(name) : nullptr;
  return member ? member->nested : nullptr;
}

std::vector<std::shared_ptr<const OurTree::Node>> OurTree::supervisors() const {
  std::vector<std::shared_ptr<const Node>> found;
  if (ended_) return found;
  found.push_back(root_);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto node = found[i];
    for (const auto& member : node->members)
      if (member.nested) found.push_back(member.nested);
  }
  return found;
}

std::string OurTree::running() const {
  std::vector<std::string> paths;
  for (const auto& node : supervisors()) {
    const auto& engine = *node->engine;
    for (sv::ChildIndex i = 0; i < engine.size(); ++i) {
      const auto phase = engine.view(i, now_).phase;
      const bool forgotten = phase == sv::ChildPhase::removed;
      // A pool knows nobody who does not run.
      if (node->decl->is_pool ? forgotten : phase != sv::ChildPhase::running) continue;
      paths.push_back(sv::join_path(node->path, engine.child_name(i)));
    }
  }
  std::sort(paths.begin(), paths.end());
  std::string line = "up";
  for (const auto& path : paths)
    line += " " + path;
  return line;
}

Trace trace_of(const Scenario& scenario) {
  OurTree tree{scenario.root};
  Trace trace;
  for (const auto& action : scenario.actions) {
    if (tree.ended()) break;
    trace.push_back(tree.act(action));
  }
  return trace;
}

bool is_comparable(const Scenario& scenario) {
  OurTree tree{scenario.root};
  for (const auto& action : scenario.actions) {
    if (tree.ended()) break;
    if (!tree.is_comparable(action)) return false;
    tree.act(action);
  }
  return true;
}

}  // namespace espalier::oracle
