// How a VirtualTree carries out what its engines want.
#include "espalier/supervisor/core/decision.hpp"
#include "espalier/supervisor/core/pool_engine.hpp"
#include "espalier/testing/internal/virtual_tree_impl.hpp"

#include <utility>

namespace espalier::testing {

VirtualTree::Impl::Life* VirtualTree::Impl::live(Node& node, sv::ChildIndex child,
                                                 sv::Generation generation) {
  if (child >= node.lives.size()) return nullptr;
  auto& life = node.lives[child];
  return life.alive && life.generation == generation ? &life : nullptr;
}

void VirtualTree::Impl::exit_later(const NodePtr& node, sv::ChildIndex child, sv::Duration delay,
                                   sv::ExitRecord exit) {
  const auto generation = node->lives[child].generation;
  later(delay, [this, to = std::weak_ptr{node}, child, generation, exit = std::move(exit)] {
    if (const auto still = to.lock()) exit_now(still, {child, generation, exit});
  });
}

void VirtualTree::Impl::exit_now(const NodePtr& node, sv::input::ChildExited what) {
  auto* life = live(*node, what.child, what.generation);
  if (!life) return;
  life->alive = false;
  life->subtree.reset();
  note("exit", path_of(*node, what.child), ": " + describe(what.exit));
  feed(node, std::move(what));
}

void VirtualTree::Impl::beat(const NodePtr& node, sv::ChildIndex child, sv::Generation generation,
                             sv::Duration interval) {
  later(interval, [=, this, to = std::weak_ptr{node}] {
    const auto still = to.lock();
    const auto* life = still ? live(*still, child, generation) : nullptr;
    if (!life || life->hangs || now_ - life->began >= life->script->silent_after_) return;
    feed(still, sv::input::ChildAlive{child, generation});
    beat(still, child, generation, interval);
  });
}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::StartChild& x) {
  if (node->lives.size() <= x.child) node->lives.resize(x.child + 1);
  const auto path = path_of(*node, x.child);
  auto* script = script_for(*node, path);
  node->lives[x.child] = {x.generation,
                          std::make_shared<const ChildScript>(script ? *script : ChildScript{}),
                          now_, nullptr, true, false};
  note("start", path);
  const auto spec = node->engine->child_spec(x.child);
  const bool is_tree = spec->kind == sv::ChildKind::supervisor || spec->kind == sv::ChildKind::pool;
  if (is_tree) return begin_subtree(node, *spec, x);
  if (script && script->times_ > 0) --script->times_;
  begin_scripted(node, *spec, x);
}

void VirtualTree::Impl::begin_subtree(const NodePtr& node, const sv::ChildSpec& spec,
                                      const sv::effect::StartChild& x) {
  const auto path = path_of(*node, x.child);
  std::unique_ptr<sv::Engine> engine;
  if (spec.kind == sv::ChildKind::pool) {
    engine = std::make_unique<sv::PoolEngine>(*spec.pool, context_for(path));
  } else {
    engine = std::make_unique<sv::SupervisorEngine>(*spec.supervisor, context_for(path));
  }
  const auto subtree = add_node(path, std::move(engine));
  subtree->is_pool = spec.kind == sv::ChildKind::pool;
  subtree->parent = node;
  subtree->child = x.child;
  subtree->generation = x.generation;
  node->lives[x.child].subtree = subtree;
  feed_later(subtree, {}, sv::input::Start{x.cause});
}

void VirtualTree::Impl::begin_scripted(const NodePtr& node, const sv::ChildSpec& spec,
                                       const sv::effect::StartChild& x) {
  const auto& script = *node->lives[x.child].script;
  const bool ends = script.times_ > 0;
  if (ends && script.start_failure_) {
    exit_later(node, x.child, {},
               {.kind = sv::ExitKind::failed,
                .category = sv::FailureCategory::recoverable,
                .message = *script.start_failure_});
    return;
  }
  feed_later(node, {}, sv::input::ChildRunning{x.child, x.generation, {}});
  feed_later(node, script.ready_after_, sv::input::ChildReady{x.child, x.generation});
  if (ends && script.exit_after_) exit_later(node, x.child, *script.exit_after_, script.exit_);
  if (const auto ending = script.fate_ ? script.fate_(since_begin()) : std::nullopt)
    exit_later(node, x.child, ending->after, ending->exit);
  const auto interval = heartbeat_interval(spec.policy);
  if (interval > sv::Duration::zero()) beat(node, x.child, x.generation, interval);
}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::StopChild& x) {
  const auto* life = live(*node, x.child, x.generation);
  if (!life) return;
  note("stop", path_of(*node, x.child));
  if (life->subtree) {
    feed_later(life->subtree, {}, sv::input::Stop{"stopped by its supervisor", x.limit, x.cause});
  } else if (!life->hangs) {
    exit_later(node, x.child, life->script->stop_takes_,
               {.kind = sv::ExitKind::stopped, .message = "asked to stop"});
  }
}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::AbortChild& x) {
  const auto* life = live(*node, x.child, x.generation);
  if (!life) return;
  note("abort", path_of(*node, x.child));
  if (life->subtree) {
    feed_later(life->subtree, {}, sv::input::Abort{x.wait, x.cause});
  } else if (!life->script->ignores_abort_) {
    exit_later(node, x.child, {}, {.kind = sv::ExitKind::aborted, .message = "killed"});
  }
}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::AbandonChild& x) {
  note("abandon", path_of(*node, x.child));
}

void VirtualTree::Impl::carry_out(const NodePtr&, const sv::effect::SuspendChild&) {}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::RunProbe& x) {
  using Purpose = sv::input::ProbePurpose;
  bool ok = x.purpose == Purpose::gate;
  if (!ok && x.child < node->lives.size() && node->lives[x.child].script) {
    const auto& life = node->lives[x.child];
    const auto age = now_ - life.began;
    const auto* script = script_for(*node, path_of(*node, x.child));
    ok = x.purpose == Purpose::readiness
             ? age >= life.script->ready_after_
             : !life.hangs && (!script || age < script->unhealthy_after_);
  }
  feed_later(
      node, {},
      sv::input::ProbeResult{x.child, x.purpose, x.number, ok, ok ? "" : "the script says so"});
}

void VirtualTree::Impl::carry_out(const NodePtr&, const sv::effect::CancelProbe&) {}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::RequestAdmission& x) {
  const auto id = ++last_number_;
  admission_ids_[{node->number, x.child, x.number}] = id;
  gate_->request(id, path_of(*node, x.child), now_);
}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::EndAdmission& x) {
  const auto found = admission_ids_.find({node->number, x.child, x.number});
  if (found == admission_ids_.end()) return;
  gate_->end(found->second);
  admission_ids_.erase(found);
}

void VirtualTree::Impl::carry_out(const NodePtr&, const sv::effect::Reply& x) {
  replies.insert_or_assign(x.ticket, x.result);
}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::ChildCreated& x) {
  if (x.child < node->lives.size()) node->lives[x.child] = {};
}

void VirtualTree::Impl::carry_out(const NodePtr&, const sv::effect::EndTree& x) {
  feed_later(root_, {}, sv::input::Stop{x.reason, {}, x.cause});
}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::Emit& x) {
  events.push_back(
      {.sequence = x.sequence,
       .epoch = 1,
       .at = std::chrono::system_clock::time_point{} +
             std::chrono::duration_cast<std::chrono::system_clock::duration>(since_begin()),
       .monotonic = now_,
       .path = x.child ? path_of(*node, *x.child) : node->path,
       .generation = x.generation,
       .attempt = x.attempt,
       .cause = x.cause,
       .body = x.body});
}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::TreeUp&) {
  const auto parent = node->parent.lock();
  if (!parent) return;
  feed_later(parent, {}, sv::input::ChildRunning{node->child, node->generation, {}});
  feed_later(parent, {}, sv::input::ChildReady{node->child, node->generation});
}

void VirtualTree::Impl::carry_out(const NodePtr& node, const sv::effect::Finished& x) {
  remove_node(node);
  if (node == root_) {
    end = TreeEnd{static_cast<TreeEnd::Kind>(x.result), x.exit.message, x.children};
    return;
  }
  sv::input::ChildExited exited{node->child, node->generation, x.exit,
                                x.cause,     x.children,       x.ends_tree};
  later({}, [this, to = node->parent, exited = std::move(exited)] {
    if (const auto parent = to.lock()) exit_now(parent, exited);
  });
}

}  // namespace espalier::testing
