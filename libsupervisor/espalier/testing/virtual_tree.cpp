#include "espalier/testing/virtual_tree.hpp"

#include "espalier/testing/internal/virtual_tree_impl.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

namespace espalier::testing {

namespace {

// Far beyond what a child causes at one instant, starts and stops of a whole tree included.
constexpr std::size_t most_steps_of_a_child = 1000;

void require_order(const std::string& path, const sv::SupervisorSpec& spec) {
  if (const auto problem = start_order(spec).problem; !problem.empty()) {
    throw std::invalid_argument(path + ": " + problem);
  }
  for (const auto& child : spec.children) {
    if (child.supervisor) require_order(sv::join_path(path, child.name), *child.supervisor);
  }
}

/// "/a/b" is "/a" and "b", "/a" is "/" and "a".
std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || path == "/") return {path, {}};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

bool is_about_a_supervisor(sv::CommandKind kind) {
  using Kind = sv::CommandKind;
  return kind == Kind::add_child || kind == Kind::reset_group || kind == Kind::reload ||
         kind == Kind::scale_pool || kind == Kind::shutdown_tree;
}

}  // namespace

VirtualTree::VirtualTree(sv::SupervisorSpec spec, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(std::move(spec), seed)) {}
VirtualTree::~VirtualTree() = default;

ChildScript& VirtualTree::child(const std::string& path) {
  if (!path.starts_with('/') || path == "/") {
    throw std::invalid_argument("'" + path + "' is no path of a child; write it as in \"/db\"");
  }
  return impl_->scripts[path];
}

void VirtualTree::advance(sv::Duration by) {
  impl_->advance(by);
}

bool VirtualTree::exit(const std::string& path, sv::ExitRecord exit) {
  return impl_->exit(path, std::move(exit));
}

bool VirtualTree::hang(const std::string& path) {
  return impl_->hang(path);
}

std::vector<sv::Event> VirtualTree::take_events() {
  impl_->steps.clear();
  return std::exchange(impl_->events, {});
}

void VirtualTree::shutdown(const std::string& cause) {
  impl_->shutdown(cause);
}

std::uint64_t VirtualTree::order(sv::Command command) {
  return impl_->order(std::move(command));
}

const sv::CommandResult* VirtualTree::reply(std::uint64_t ticket) const {
  const auto found = impl_->replies.find(ticket);
  return found == impl_->replies.end() ? nullptr : &found->second;
}

sv::Duration VirtualTree::now() const {
  return impl_->since_begin();
}

std::optional<sv::ChildView> VirtualTree::state(const std::string& path) const {
  return impl_->state(path);
}

std::string VirtualTree::why(const std::string& path) const {
  const auto view = state(path);
  return view && view->last_decision ? explain(path, *view->last_decision) : std::string{};
}

const std::vector<sv::Event>& VirtualTree::events() const {
  return impl_->events;
}

const std::vector<Step>& VirtualTree::steps() const {
  return impl_->steps;
}

std::vector<std::string> VirtualTree::history() const {
  std::vector<std::string> result;
  for (const auto& step : impl_->steps)
    result.push_back(step.text);
  return result;
}

const TreeEnd* VirtualTree::end() const {
  return impl_->end ? &*impl_->end : nullptr;
}

VirtualTree::Impl::Impl(sv::SupervisorSpec spec, std::uint64_t seed) : seed_(seed) {
  require_order("/", spec);
  if (spec.admission) gate_.emplace(*spec.admission);
  root_ = add_node("/", std::make_unique<sv::SupervisorEngine>(std::move(spec), context_for("/")));
}

sv::EngineContext VirtualTree::Impl::context_for(const std::string& path) const {
  return {.path = path,
          .sequence = sequence_,
          .seed = seed_ ^ std::hash<std::string>{}(path),
          .admission = gate_.has_value()};
}

VirtualTree::Impl::NodePtr VirtualTree::Impl::add_node(const std::string& path,
                                                       std::unique_ptr<sv::Engine> engine) {
  auto node = std::make_shared<Node>();
  node->number = ++last_number_;
  node->path = path;
  node->engine = std::move(engine);
  nodes_[node->number] = node;
  return node;
}

void VirtualTree::Impl::remove_node(const NodePtr& node) {
  for (auto entry = admission_ids_.begin(); entry != admission_ids_.end();) {
    if (std::get<0>(entry->first) != node->number) {
      ++entry;
      continue;
    }
    gate_->end(entry->second);
    entry = admission_ids_.erase(entry);
  }
  nodes_.erase(node->number);
}

VirtualTree::Impl::NodePtr VirtualTree::Impl::node_at(const std::string& path) const {
  for (const auto& [number, node] : nodes_)
    if (node->path == path) return node;
  return nullptr;
}

std::string VirtualTree::Impl::path_of(const Node& node, sv::ChildIndex child) const {
  return sv::join_path(node.path, node.engine->child_name(child));
}

ChildScript* VirtualTree::Impl::script_for(const Node& node, const std::string& path) {
  auto found = scripts.find(path);
  if (found == scripts.end() && node.is_pool) found = scripts.find(node.path);
  return found == scripts.end() ? nullptr : &found->second;
}

std::size_t VirtualTree::Impl::children() const {
  std::size_t result = 0;
  for (const auto& [number, node] : nodes_)
    result += node->engine->size();
  return result;
}

std::optional<sv::ChildView> VirtualTree::Impl::state(const std::string& path) const {
  const auto node = node_at(split(path).first);
  if (!node || path == "/") return std::nullopt;
  for (sv::ChildIndex i = 0; i < node->engine->size(); ++i) {
    if (path_of(*node, i) != path) continue;
    auto view = node->engine->view(i, now_);
    if (view.phase != sv::ChildPhase::removed) return view;
  }
  return std::nullopt;
}

void VirtualTree::Impl::advance(sv::Duration by) {
  if (!std::exchange(started_, true)) feed_later(root_, {}, sv::input::Start{});
  const auto until = now_ + by;
  while (const auto next = next_instant()) {
    if (*next > until) break;
    now_ = std::max(now_, *next);
    run_instant();
  }
  now_ = until;
}

void VirtualTree::Impl::shutdown(const std::string& cause) {
  feed_later(root_, {}, sv::input::Stop{cause, {}, {}});
  advance({});
}

std::optional<VirtualTree::Impl::Leaf> VirtualTree::Impl::leaf_at(const std::string& path) const {
  const auto node = node_at(split(path).first);
  if (!node || path == "/") return std::nullopt;
  for (sv::ChildIndex i = 0; i < node->lives.size(); ++i) {
    const auto& life = node->lives[i];
    if (life.alive && !life.subtree && path_of(*node, i) == path) return Leaf{node, i};
  }
  return std::nullopt;
}

bool VirtualTree::Impl::exit(const std::string& path, sv::ExitRecord exit) {
  const auto leaf = leaf_at(path);
  if (!leaf) return false;
  exit_now(leaf->node, {leaf->child, leaf->node->lives[leaf->child].generation, std::move(exit)});
  advance({});
  return true;
}

bool VirtualTree::Impl::hang(const std::string& path) {
  const auto leaf = leaf_at(path);
  if (leaf) leaf->node->lives[leaf->child].hangs = true;
  return leaf.has_value();
}

std::uint64_t VirtualTree::Impl::order(sv::Command command) {
  const auto ticket = ++last_number_;
  const bool on_supervisor = is_about_a_supervisor(command.kind);
  const auto [parent, name] = split(command.path);
  const auto node = command.kind == sv::CommandKind::shutdown_tree
                        ? root_
                        : node_at(on_supervisor ? command.path : parent);
  if (!node || !nodes_.contains(node->number)) {
    replies[ticket] = sv::CommandResult{unexpected<sv::Error>{
        {sv::Error::Code::not_found, "no supervisor at '" + command.path + "' now"}}};
    return ticket;
  }
  feed_later(node, {},
             sv::input::Order{ticket, on_supervisor ? std::string{} : name,
                              std::make_shared<const sv::Command>(std::move(command))});
  advance({});
  return ticket;
}

std::optional<sv::TimePoint> VirtualTree::Impl::next_instant() const {
  std::optional<sv::TimePoint> result;
  const auto sooner = [&result](std::optional<sv::TimePoint> at) {
    if (at && (!result || *at < *result)) result = at;
  };
  if (!agenda_.empty()) sooner(agenda_.begin()->first.first);
  if (gate_) sooner(gate_->next_deadline());
  for (const auto& [number, node] : nodes_)
    sooner(node->engine->next_deadline());
  return result;
}

void VirtualTree::Impl::run_instant() {
  for (std::size_t step = 1; step % 10'000 != 0 || step <= most_steps_of_a_child * children();
       ++step) {
    if (!agenda_.empty() && agenda_.begin()->first.first <= now_) {
      const auto what = std::move(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
      what();
    } else {
      wake_due_engines();
    }
    let_in();
    const auto next = next_instant();
    if (!next || *next > now_) return;
  }
  throw std::logic_error("the tree does not come to rest at " + sv::human(since_begin()) +
                         "; does a child fail at once, without back-off and limit?");
}

void VirtualTree::Impl::wake_due_engines() {
  const auto nodes = nodes_;  // Waking one may end it.
  for (const auto& [number, node] : nodes) {
    const auto due = node->engine->next_deadline();
    if (due && *due <= now_ && nodes_.contains(number)) feed(node, sv::input::TimePassed{});
  }
}

void VirtualTree::Impl::let_in() {
  if (!gate_) return;
  for (const auto id : gate_->admitted(now_)) {
    for (const auto& [key, known] : admission_ids_) {
      const auto& [number, child, request] = key;
      if (known == id) feed_later(nodes_.at(number), {}, sv::input::Admitted{child, request});
    }
  }
}

void VirtualTree::Impl::later(sv::Duration delay, std::function<void()> what) {
  if (delay == ChildScript::never) return;
  agenda_.emplace(std::pair{now_ + delay, ++last_number_}, std::move(what));
}

void VirtualTree::Impl::feed_later(const NodePtr& node, sv::Duration delay, sv::Input what) {
  later(delay, [this, to = std::weak_ptr{node}, what = std::move(what)] {
    if (const auto still = to.lock()) feed(still, what);
  });
}

void VirtualTree::Impl::feed(const NodePtr& node, sv::Input what) {
  if (!nodes_.contains(node->number)) return;
  for (const auto& wanted : node->engine->handle(what, now_))
    std::visit([&](const auto& x) { carry_out(node, x); }, wanted);
}

void VirtualTree::Impl::note(const char* what, const std::string& path, const std::string& more) {
  steps.push_back({since_begin(), std::string{what} + ' ' + path + more});
}

}  // namespace espalier::testing
