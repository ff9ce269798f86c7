#include "espalier/cli/top/top_tree.hpp"

#include "espalier/cli/remote/words.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace espalier::cli {
namespace {

std::string lower(std::string text) {
  for (char& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::size_t depth_of(const std::string& path) {
  if (path == "/") return 0;
  return static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

bool is_below(const std::string& path, const std::string& above) {
  if (above == "/") return path != "/";
  return path.size() > above.size() && path.starts_with(above) && path[above.size()] == '/';
}

}  // namespace

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string_view name_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view text = path;
  return slash == std::string::npos || path.size() == 1 ? text : text.substr(slash + 1);
}

void TopTree::take(ipc::Snapshot snapshot) {
  known_ = true;
  nodes_ = std::move(snapshot.nodes);
  state_ = std::move(snapshot.state);
  counts_ = std::move(snapshot.counts);
  arrange();
}

void TopTree::take(const ipc::StateDeltaPush& delta) {
  state_ = delta.state;
  counts_ = delta.counts;
  if (!delta.removed.empty()) {
    const std::set<std::string> gone(delta.removed.begin(), delta.removed.end());
    std::erase_if(nodes_, [&](const ipc::NodeInfo& node) { return gone.contains(node.path); });
    arrange();
  }
  for (const ipc::NodeInfo& node : delta.changed) {
    const auto found = index_.find(node.path);
    if (found == index_.end()) {
      insert(node);
    } else {
      nodes_[found->second] = node;
    }
  }
  arrange();
}

void TopTree::insert(const ipc::NodeInfo& node) {
  const std::string parent = parent_of(node.path);
  std::size_t at = nodes_.size();
  if (const auto found = index_.find(parent); found != index_.end()) {
    at = found->second + 1;
    while (at < nodes_.size() && is_below(nodes_[at].path, parent))
      ++at;
  }
  nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(at), node);
  for (std::size_t i = at; i < nodes_.size(); ++i)
    index_[nodes_[i].path] = i;
}

void TopTree::set_filter(std::string filter) {
  filter_ = lower(std::move(filter));
  arrange();
}

void TopTree::set_sort(TopSort sort) {
  sort_ = sort;
  arrange();
}

void TopTree::toggle(const std::string& path) {
  set_folded(path, !folded_.contains(path));
}

void TopTree::set_folded(const std::string& path, bool folded) {
  if (folded) {
    folded_.insert(path);
  } else {
    folded_.erase(path);
  }
  arrange();
}

const ipc::NodeInfo* TopTree::find(const std::string& path) const {
  const auto found = index_.find(path);
  return found == index_.end() ? nullptr : &nodes_[found->second];
}

std::size_t TopTree::row_of(const std::string& path) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(),
                                  [&](const Row& row) { return nodes_[row.node].path == path; });
  return static_cast<std::size_t>(found - rows_.begin());
}

std::size_t TopTree::children_of(const std::string& path) const {
  return static_cast<std::size_t>(std::count_if(
      nodes_.begin(), nodes_.end(),
      [&](const ipc::NodeInfo& node) { return node.path != "/" && parent_of(node.path) == path; }));
}

bool TopTree::matches(const ipc::NodeInfo& node) const {
  return filter_.empty() || lower(node.path).find(filter_) != std::string::npos ||
         lower(phase_word(node)).find(filter_) != std::string::npos;
}

void TopTree::arrange() {
  index_.clear();
  restarts_ = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    index_[nodes_[i].path] = i;
    restarts_ += nodes_[i].restarts.total;
  }
  rows_.clear();
  if (sort_ == TopSort::tree) {
    arrange_tree();
  } else {
    arrange_list();
  }
}

// With a filter, what matches is shown with all above it, and nothing stays folded.
void TopTree::arrange_tree() {
  std::vector<bool> shown(nodes_.size(), filter_.empty());
  for (std::size_t i = 0; i < nodes_.size() && !filter_.empty(); ++i) {
    if (!matches(nodes_[i])) continue;
    for (auto at = index_.find(nodes_[i].path); at != index_.end() && !shown[at->second];
         at = index_.find(parent_of(at->first))) {
      shown[at->second] = true;
    }
  }
  for (std::size_t i = 0; i < nodes_.size();) {
    const std::string& path = nodes_[i].path;
    const bool parent = i + 1 < nodes_.size() && is_below(nodes_[i + 1].path, path);
    const bool folded = parent && filter_.empty() && folded_.contains(path);
    if (shown[i]) rows_.push_back({i, depth_of(path), parent, folded});
    ++i;
    while (folded && i < nodes_.size() && is_below(nodes_[i].path, path))
      ++i;
  }
}

void TopTree::arrange_list() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (matches(nodes_[i])) rows_.push_back({i, 0, false, false});
  }
  std::stable_sort(rows_.begin(), rows_.end(), [&](const Row& a, const Row& b) {
    const ipc::NodeInfo& x = nodes_[a.node];
    const ipc::NodeInfo& y = nodes_[b.node];
    return sort_ == TopSort::since ? x.since > y.since : x.restarts.total > y.restarts.total;
  });
}

}  // namespace espalier::cli
