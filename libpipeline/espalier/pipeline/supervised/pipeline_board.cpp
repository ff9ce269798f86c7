#include "espalier/pipeline/supervised/pipeline_board.hpp"

#include <utility>

namespace espalier::pipeline {

PipelineBoard::Entry::~Entry() {
  const auto board = board_.lock();
  if (!board) return;
  const std::lock_guard lock(board->mutex_);
  board->looks_.erase(path_);
}

std::unique_ptr<PipelineBoard::Entry> PipelineBoard::add(const std::string& path, Look look) {
  const std::lock_guard lock(mutex_);
  looks_[path] = std::move(look);
  return std::make_unique<Entry>(weak_from_this(), path);
}

std::vector<PipelineRow> PipelineBoard::rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<PipelineRow> result;
  result.reserve(looks_.size());
  for (const auto& [path, look] : looks_)
    result.push_back({path, look()});
  return result;
}

}  // namespace espalier::pipeline
