#pragma once

#include "espalier/ipc/wire/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace espalier::cli {

/// How the rows of the tree are put in order; all but the first are flat lists.
enum class TopSort : std::uint8_t { tree, restarts, since };

/// The tree of a target as it is known, and which of its nodes stand in which row.
///
/// Pure. Cost: a change costs O(nodes); looking at rows costs nothing.
class TopTree {
 public:
  struct Row {
    std::size_t node = 0;
    std::size_t depth = 0;
    bool has_children = false;
    bool is_folded = false;
  };

  void take(ipc::Snapshot snapshot);
  /// New nodes stand behind their siblings: a delta does not tell where they belong.
  void take(const ipc::StateDeltaPush& delta);

  void set_filter(std::string filter);
  void set_sort(TopSort sort);
  void toggle(const std::string& path);
  void set_folded(const std::string& path, bool folded);

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] const ipc::NodeInfo& node(const Row& row) const { return nodes_[row.node]; }
  [[nodiscard]] const ipc::NodeInfo* find(const std::string& path) const;
  /// Row of a path, or the number of rows.
  [[nodiscard]] std::size_t row_of(const std::string& path) const;
  [[nodiscard]] std::size_t children_of(const std::string& path) const;

  [[nodiscard]] const std::string& filter() const { return filter_; }
  [[nodiscard]] TopSort sort() const { return sort_; }
  [[nodiscard]] bool is_known() const { return known_; }
  [[nodiscard]] const std::string& state() const { return state_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

 private:
  void insert(const ipc::NodeInfo& node);
  void arrange();
  void arrange_tree();
  void arrange_list();
  [[nodiscard]] bool matches(const ipc::NodeInfo& node) const;

  std::vector<ipc::NodeInfo> nodes_;  ///< A node, then all below it.
  std::unordered_map<std::string, std::size_t> index_;
  std::set<std::string> folded_;
  std::string filter_;
  TopSort sort_ = TopSort::tree;
  std::vector<Row> rows_;
  bool known_ = false;
  std::string state_;
  std::map<std::string, std::uint64_t> counts_;
  std::uint64_t restarts_ = 0;
};

/// "/" of "/a", "/a" of "/a/b".
[[nodiscard]] std::string parent_of(const std::string& path);
/// The last name of a path; "/" of the root.
[[nodiscard]] std::string_view name_of(const std::string& path);

}  // namespace espalier::cli
