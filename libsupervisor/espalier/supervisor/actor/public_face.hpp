#pragma once

#include "espalier/supervisor/actor/tree_directory.hpp"
#include "espalier/supervisor/core/engine.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier::supervisor {

/// What a supervisor shows of itself and its children to the rest of the tree: its entry in the
/// directory, its board, and those who wait for its answers.
///
/// Thread rule: used by the supervisor alone.
class PublicFace {
 public:
  /// Enters the directory with all children the engine has now.
  PublicFace(std::shared_ptr<TreeDirectory> directory, std::string path,
             std::shared_ptr<ReportLine> line, const Engine& engine, SupervisorInfo info);
  ~PublicFace();
  PublicFace(const PublicFace&) = delete;
  PublicFace& operator=(const PublicFace&) = delete;

  /// Shows what an input has changed, before its effects are carried out and seen.
  void show(Engine& engine, const std::vector<Effect>& effects, TimePoint now);
  /// That slot's effects are about its new child from here on.
  void created(ChildIndex child) { former_names_.erase(child); }
  void tell(SupervisorInfo info) { entry_.board->tell(std::move(info)); }
  /// The child an effect is about, even where its slot already has the next one.
  [[nodiscard]] const std::string& name(ChildIndex child) const;
  [[nodiscard]] bool is_removed(ChildIndex child) const;
  [[nodiscard]] CommandDesk& desk() { return *entry_.desk; }
  /// The supervisor ends; who waits for an answer hears `why`. Only the first call counts.
  void retire(const Error& why);

 private:
  [[nodiscard]] bool has_subtree(ChildIndex child, const Engine& engine) const;

  std::shared_ptr<TreeDirectory> directory_;
  std::string path_;
  SupervisorEntry entry_;
  std::unordered_map<ChildIndex, std::string> former_names_;
  bool retired_ = false;
};

}  // namespace espalier::supervisor
