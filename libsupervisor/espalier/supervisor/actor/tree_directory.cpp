#include "espalier/supervisor/actor/tree_directory.hpp"

namespace espalier::supervisor {

bool is_at_or_below(const std::string& path, const std::string& top) {
  if (top == "/" || path == top) return true;
  return path.size() > top.size() && path.compare(0, top.size(), top) == 0 &&
         path[top.size()] == '/';
}

void TreeDirectory::enter(const std::string& path, SupervisorEntry entry) {
  {
    const std::lock_guard lock{mutex_};
    std::swap(entries_[path], entry);
  }
  if (entry.board) entry.board->leave();
}

void TreeDirectory::end(const std::string& path, const StateBoard* board) {
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(path);
  if (found != entries_.end() && found->second.board.get() == board) found->second.ended = true;
}

void TreeDirectory::forget(const std::string& path) {
  std::vector<SupervisorEntry> gone;  // Let go outside the lock.
  std::unique_lock lock{mutex_};
  for (auto i = entries_.lower_bound(path); i != entries_.end() && i->first.starts_with(path);) {
    if (is_at_or_below(i->first, path)) {
      gone.push_back(std::move(i->second));
      i = entries_.erase(i);
    } else {
      ++i;
    }
  }
  lock.unlock();
  for (const auto& entry : gone)
    entry.board->leave();
}

std::optional<SupervisorEntry> TreeDirectory::find(const std::string& path) const {
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(path);
  if (found == entries_.end()) return {};
  return found->second;
}

std::optional<TreeDirectory::Place> TreeDirectory::above(const std::string& path) const {
  const std::lock_guard lock{mutex_};
  auto slash = path.rfind('/');
  while (slash != std::string::npos) {
    const auto parent = slash == 0 ? std::string{"/"} : path.substr(0, slash);
    const auto found = entries_.find(parent);
    if (found != entries_.end()) return Place{found->second, parent, path.substr(slash + 1)};
    if (slash == 0) break;
    slash = path.rfind('/', slash - 1);
  }
  return {};
}

std::vector<std::pair<std::string, SupervisorEntry>> TreeDirectory::below(
    const std::string& path) const {
  std::vector<std::pair<std::string, SupervisorEntry>> result;
  const std::lock_guard lock{mutex_};
  for (auto i = entries_.lower_bound(path); i != entries_.end() && i->first.starts_with(path);
       ++i) {
    if (is_at_or_below(i->first, path)) result.push_back(*i);
  }
  return result;
}

}  // namespace espalier::supervisor
