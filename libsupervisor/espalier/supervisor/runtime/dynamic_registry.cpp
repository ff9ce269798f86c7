#include "espalier/supervisor/runtime/dynamic_registry.hpp"

#include "espalier/supervisor/core/tree_plan.hpp"
#include "espalier/supervisor/io/internal/quiet_thread.hpp"
#include "espalier/supervisor/runtime/registry_file.hpp"

#include <algorithm>
#include <filesystem>
#include <future>
#include <system_error>
#include <utility>

namespace espalier::supervisor {

namespace {

using Code = Error::Code;

constexpr std::size_t largest_file = 64U << 20U;

constexpr const char* head =
    "# Children that were added at run time; each change replaces this file.\n"
    "# To take one away for good, use remove_child, or delete it here while nothing runs.\n";

std::string join_problems(const std::vector<ConfigProblem>& problems) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), most); ++i)
    text += (text.empty() ? "" : "; ") + problems[i].to_string();
  if (problems.size() > most) text += "; and " + std::to_string(problems.size() - most) + " more";
  return text;
}

// What is different, or "". Siblings are unknown here, so what names them is compared by itself.
std::string difference(ChildSpec now, ChildSpec wanted) {
  if (now.dependencies != wanted.dependencies) return "dependencies changed";
  now.dependencies.clear();
  wanted.dependencies.clear();
  std::string text;
  for (const auto& line : plan_tree({.children = {now}}, {.children = {wanted}}))
    text += (text.empty() ? "" : "; ") + line;
  return text;
}

LoadOptions options_for(const ChildFactories& factories) {
  LoadOptions options;
  options.known_factories = factories.names();
  for (const auto& name : options.known_factories) {
    if (const auto kind = factories.kind_of(name)) options.factory_kinds[name] = *kind;
  }
  options.known_probes = factories.probe_names();
  return options;
}

std::string as_comment(const std::string& text) {
  std::string out = "# ";
  for (const char c : text)
    out += c == '\n' ? std::string("\n# ") : std::string(1, c);
  return out + "\n";
}

// A refusal that says nothing of the child itself: the next start may take it.
bool may_pass(Code code) {
  return code == Code::shutting_down || code == Code::gone || code == Code::timed_out ||
         code == Code::wrong_state || code == Code::superseded;
}

}  // namespace

DynamicRegistry::DynamicRegistry(std::string file, LoadOptions options)
    : file_(std::move(file)), options_(std::move(options)) {}

DynamicRegistry::~DynamicRegistry() {
  end();
}

expected<std::shared_ptr<DynamicRegistry>, std::string> DynamicRegistry::open(
    const std::string& file, const ChildFactories& factories) {
  std::error_code fault;
  const auto path = std::filesystem::weakly_canonical(file, fault);
  const auto folder = path.parent_path();
  if (fault || path.empty() || !std::filesystem::is_directory(folder, fault)) {
    return unexpected<std::string>("the folder of " + file + " does not exist; create it");
  }
  std::shared_ptr<DynamicRegistry> registry{
      new DynamicRegistry(path.string(), options_for(factories))};
  if (auto problem = registry->read()) return unexpected<std::string>(std::move(*problem));
  return registry;
}

std::optional<std::string> DynamicRegistry::read() {
  auto text = read_whole(file_, largest_file);
  if (!text) return text.error();
  auto kept = load_kept_children(*text, file_, options_);
  if (!kept) {
    const auto aside = put_aside(file_);
    if (!aside) return aside.error();
    fault_ = join_problems(kept.error()) + "; the tree starts without its children; the file is " +
             *aside + " now: mend it, move it back and start again";
    return {};
  }
  for (auto& each : *kept) {
    const auto id = next_++;
    const auto path = join_path(each.parent, each.child.name);
    entries_[id] = {path, {}, each.parent, each.text};
    ids_[path] = id;
    found_.emplace_back(id, std::move(each));
  }
  return {};
}

void DynamicRegistry::begin(Tree tree) {
  {
    const std::lock_guard lock{mutex_};
    begun_ = true;
  }
  thread_ = internal::quiet_thread("esp-registry", [this, held = std::move(tree)]() mutable {
    const auto mine = std::exchange(held, {});
    run(mine);
  });
}

void DynamicRegistry::end() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

expected<DynamicRegistry::Entry, Error> DynamicRegistry::entry_for(
    const std::string& parent, std::shared_ptr<const ChildSpec> child) const {
  const auto refuse = [&](const std::string& why) {
    return unexpected<Error>(Error{
        Code::invalid_spec, join_path(parent, child->name) + " cannot be kept in " + file_ +
                                ", for it would read back differently: " + why + "; change that"});
  };
  Entry entry{join_path(parent, child->name), child, parent, render_kept_child(parent, *child)};
  const auto back = load_kept_children(entry.text, "entry", options_);
  if (!back) return refuse(join_problems(back.error()));
  if (back->size() != 1) return refuse("it makes more than one entry");
  if (!back->front().problems.empty()) return refuse(join_problems(back->front().problems));
  const auto changes = difference(*child, back->front().child);
  if (!changes.empty()) return refuse(changes);
  return entry;
}

// The child that is kept, as it will be; null: none such is kept.
std::shared_ptr<const ChildSpec> DynamicRegistry::changed_by(const Command& command,
                                                             std::string& parent) {
  const std::lock_guard lock{mutex_};
  const auto id = ids_.find(command.path);
  if (id == ids_.end() || !entries_[id->second].child) return {};
  parent = entries_[id->second].parent;
  auto child = std::make_shared<ChildSpec>(*entries_[id->second].child);
  if (!child->pool) {
    if (command.kind == CommandKind::scale_pool) return {};
    child->policy = command.spec->policy;
    return child;
  }
  auto pool = std::make_shared<PoolSpec>(*child->pool);
  if (command.kind == CommandKind::scale_pool) {
    pool->size = command.size;
  } else {
    pool->child.policy = command.spec->policy;
  }
  child->pool = std::move(pool);
  return child;
}

std::optional<Error> DynamicRegistry::follow(const Command& command, Answer& done) {
  if (command.dry_run) return {};
  auto parent = command.path;
  std::shared_ptr<const ChildSpec> child;
  if (command.kind == CommandKind::add_child) {
    child = command.spec;
  } else if (command.kind == CommandKind::set_policy || command.kind == CommandKind::scale_pool) {
    child = changed_by(command, parent);
  }
  if (!child) return {};
  auto entry = entry_for(parent, std::move(child));
  if (!entry) return std::move(entry.error());
  done = [self = shared_from_this(), kept = std::move(*entry),
          then = std::move(done)](const CommandResult& result) {
    if (result) self->put(kept);
    then(result);
  };
  return {};
}

void DynamicRegistry::put(Entry entry) {
  const std::lock_guard lock{mutex_};
  const auto known = ids_.find(entry.path);
  // One that is still to come back goes its own way: to FILE.rejected, for its name is taken.
  const bool same = known != ids_.end() && entries_[known->second].child;
  const auto id = same ? known->second : next_++;
  ids_[entry.path] = id;
  entries_[id] = std::move(entry);
  ++version_;
  changed_.notify_all();
}

// Under the lock.
void DynamicRegistry::take(Id id) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return;
  const auto known = ids_.find(entry->second.path);
  if (known != ids_.end() && known->second == id) ids_.erase(known);
  entries_.erase(entry);
  ++version_;
  changed_.notify_all();
}

void DynamicRegistry::publish(const Event& event) {
  if (!std::holds_alternative<events::ChildRemoved>(event.body)) return;
  const std::lock_guard lock{mutex_};
  if (const auto own = ids_.find(event.path); own != ids_.end()) take(own->second);
  const auto prefix = event.path + "/";  // What was below it is gone as well.
  for (auto at = ids_.lower_bound(prefix); at != ids_.end() && at->first.starts_with(prefix);) {
    take((at++)->second);
  }
}

void DynamicRegistry::wait_restored() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return restored_ || !begun_; });
}

std::optional<std::string> DynamicRegistry::wait_written(Duration limit) {
  std::unique_lock lock{mutex_};
  const auto wanted = version_;
  const bool done = changed_.wait_for(lock, limit, [&] { return written_ >= wanted; });
  if (!done) return "writing " + file_ + " is not done yet; it goes on";
  return problem_;
}

void DynamicRegistry::run(const Tree& tree) {
  if (tree.wait_up()) restore(tree);
  std::unique_lock lock{mutex_};
  restored_ = true;
  changed_.notify_all();
  while (true) {
    changed_.wait(lock, [this] { return version_ != written_ || ending_; });
    if (version_ == written_) return;
    write(lock, tree);
  }
}

void DynamicRegistry::restore(const Tree& tree) {
  if (!fault_.empty()) tell(tree, "/", to_string(Code::invalid_spec), fault_);
  for (const auto& [id, kept] : std::exchange(found_, {}))
    restore_one(tree, id, kept);
}

void DynamicRegistry::restore_one(const Tree& tree, Id id, const KeptChild& kept) {
  if (!kept.problems.empty()) {
    return reject(tree, id, kept, {Code::invalid_spec, join_problems(kept.problems)});
  }
  const auto child = std::make_shared<ChildSpec>(kept.child);
  std::promise<CommandResult> answer;
  tree.execute({.kind = CommandKind::add_child,
                .path = kept.parent,
                .meta = {"registry", "kept in " + file_},
                .spec = child},
               [&answer](const CommandResult& result) { answer.set_value(result); });
  const auto result = answer.get_future().get();
  if (!result && !may_pass(result.error().code)) return reject(tree, id, kept, result.error());
  if (!result) {
    return tell(tree, join_path(kept.parent, kept.child.name), to_string(result.error().code),
                result.error().message + "; it stays in " + file_ + " for the next start");
  }
  const std::lock_guard lock{mutex_};
  if (const auto entry = entries_.find(id); entry != entries_.end()) entry->second.child = child;
}

void DynamicRegistry::reject(const Tree& tree, Id id, const KeptChild& kept, const Error& why) {
  const auto path = join_path(kept.parent, kept.child.name);
  const auto aside = file_ + ".rejected";
  const auto problem = append_to_file(aside, as_comment(path + ": " + why.message) + kept.text);
  if (!problem) {
    const std::lock_guard lock{mutex_};
    take(id);
  }
  tell(tree, path, to_string(why.code),
       why.message + (problem ? "; it stays in " + file_ + ", for " + *problem
                              : "; it is in " + aside + " now: mend it and move it back"));
}

// Only this thread writes, so the file may be written without the lock.
void DynamicRegistry::write(std::unique_lock<std::mutex>& lock, const Tree& tree) {
  const auto version = version_;
  std::string text = head;
  for (const auto& [id, entry] : entries_)
    text += entry.text;
  lock.unlock();
  auto problem = replace_file(file_, text);
  if (problem) tell(tree, "/", "not_written", *problem + "; what was added is lost at the end");
  lock.lock();
  written_ = version;
  problem_ = std::move(problem);
  changed_.notify_all();
}

void DynamicRegistry::tell(const Tree& tree, const std::string& path, const std::string& result,
                           const std::string& text) const {
  tree.tell({.command = "keep",
             .requested_by = "registry",
             .reason = "kept in " + file_,
             .result = result,
             .text = text,
             .child = path == "/" ? std::string{} : path});
}

}  // namespace espalier::supervisor
