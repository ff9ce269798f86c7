#pragma once

#include "espalier/pipeline/core/counts.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// A pipeline of a tree, and how it fares.
struct PipelineRow {
  std::string path = {};  ///< Of the child that runs it.
  PipelineSnapshot snapshot = {};
};

/// The pipelines of a tree that run now, for whoever looks at them from outside.
///
/// Thread rule: any thread. `rows` costs a snapshot of each, O(stages + workers).
class PipelineBoard : public std::enable_shared_from_this<PipelineBoard> {
 public:
  using Look = std::function<PipelineSnapshot()>;

  /// Takes the row away when it is destroyed. The board may be gone by then.
  class Entry {
   public:
    Entry(std::weak_ptr<PipelineBoard> board, std::string path)
        : board_(std::move(board)), path_(std::move(path)) {}
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    std::weak_ptr<PipelineBoard> board_;
    std::string path_;
  };

  /// `look` is called under the board's lock until the entry is gone.
  [[nodiscard]] std::unique_ptr<Entry> add(const std::string& path, Look look);
  [[nodiscard]] std::vector<PipelineRow> rows() const;  ///< By path.

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Look> looks_;
};

}  // namespace espalier::pipeline
