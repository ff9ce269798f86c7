// How an OurTree carries out what its engines want.
#include "oracle/our_spec.hpp"
#include "oracle/our_tree.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace espalier::oracle {

namespace sv = supervisor;

namespace {

/// Inputs; what comes of one action takes some hundred.
constexpr std::size_t very_many = 20'000;

const char* word_of(const sv::CommandResult& result) {
  if (result) return "ok";
  switch (result.error().code) {
    case sv::Error::Code::name_taken:
      return "taken";
    case sv::Error::Code::start_failed:
      return "failed";
    default:
      return to_string(result.error().code);
  }
}

}  // namespace

// Until nothing moves any more. Only a child that does not hear its stop makes time pass.
void OurTree::settle() {
  do {
    while (!inbox_.empty()) {
      const auto next = std::move(inbox_.front());
      inbox_.pop_front();
      if (const auto node = next.to.lock()) feed(node, next.what);
    }
  } while (pass_time());
}

bool OurTree::pass_time() {
  NodePtr first;
  for (const auto& node : supervisors()) {
    const auto due = node->engine->next_deadline();
    if (due && (!first || *due < *first->engine->next_deadline())) first = node_at(node->path);
  }
  if (!first) return false;
  now_ = std::max(now_, *first->engine->next_deadline());
  feed(first, sv::input::TimePassed{});
  return true;
}

void OurTree::feed(const NodePtr& node, sv::Input what) {
  if (++fed_ > very_many) throw std::logic_error("it never comes to rest");
  for (const auto& effect : node->engine->handle(what, now_))
    std::visit([&](const auto& x) { carry_out(node, x); }, effect);
}

void OurTree::feed_later(const NodePtr& node, sv::Input what) {
  inbox_.push_back({node, std::move(what)});
}

void OurTree::report_exit(const NodePtr& node, Member& member, sv::ExitRecord exit) {
  member.alive = false;
  member.nested.reset();
  feed_later(node,
             sv::input::ChildExited{member.index, member.generation, std::move(exit), {}, {}});
}

void OurTree::say(const std::string& what, const NodePtr& node, const std::string& name) {
  lines_.push_back(what + " " + sv::join_path(node->path, name));
}

void OurTree::carry_out(const NodePtr& node, const sv::effect::StartChild& x) {
  const auto name = node->engine->child_name(x.child);
  auto& member = node->at(name);
  if (member.alive) throw std::logic_error("a second attempt of " + name + " while one lives");
  member.index = x.child;
  member.generation = x.generation;
  auto& failures = failures_[sv::join_path(node->path, name)];
  if (failures > 0) {
    --failures;
    say("fail", node, name);
    return report_failed_start(node, member, exit_of(Reason::error));
  }
  say("start", node, name);
  member.alive = true;
  if (!member.decl.nested) {
    return feed_later(node, sv::input::ChildRunning{x.child, x.generation, {}});
  }
  member.nested = make_node(sv::join_path(node->path, name), member.decl.nested);
  member.nested->parent = node;
  member.nested->name = name;
  feed_later(member.nested, sv::input::Start{});
}

void OurTree::carry_out(const NodePtr& node, const sv::effect::StopChild& x) {
  const auto name = node->engine->child_name(x.child);
  auto& member = node->at(name);
  if (was_unseen(node, member) || !member.alive) return;
  say("stop", node, name);
  if (member.nested) {
    feed_later(member.nested, sv::input::Stop{"stopped by its supervisor", x.limit, {}});
  } else if (member.decl.nature == Nature::rude) {
    report_exit(node, member, exit_of(Reason::error));
  } else if (member.decl.nature != Nature::deaf) {
    report_exit(node, member, exit_of(Reason::shutdown));
  }
}

void OurTree::carry_out(const NodePtr& node, const sv::effect::AbortChild& x) {
  const auto name = node->engine->child_name(x.child);
  auto& member = node->at(name);
  if (was_unseen(node, member) || !member.alive) return;
  say("kill", node, name);
  report_exit(node, member, exit_of(Reason::killed));
}

void OurTree::carry_out(const NodePtr&, const sv::effect::Reply& x) {
  if (x.ticket == tickets_) reply_ = word_of(x.result);
}

void OurTree::carry_out(const NodePtr& node, const sv::effect::Emit& x) {
  if (std::holds_alternative<sv::events::Escalated>(x.body)) {
    lines_.push_back("gives up " + node->path);
  }
}

void OurTree::carry_out(const NodePtr& node, const sv::effect::TreeUp&) {
  node->is_up = true;
  const auto parent = node->parent.lock();
  if (!parent) return;
  const auto& member = parent->at(node->name);
  feed_later(parent, sv::input::ChildRunning{member.index, member.generation, {}});
}

void OurTree::carry_out(const NodePtr& node, const sv::effect::Finished& x) {
  const bool failed = x.result == sv::effect::Result::start_failed;
  if (const auto parent = node->parent.lock()) {
    auto& member = parent->at(node->name);
    if (failed) return report_failed_start(parent, member, x.exit);
    return report_exit(parent, member, x.exit);
  }
  if (failed) lines_.emplace_back("start failed");
  ended_ = true;
}

}  // namespace espalier::oracle
