#include "espalier/supervisor/actor/public_face.hpp"

#include <utility>

namespace espalier::supervisor {

PublicFace::PublicFace(std::shared_ptr<TreeDirectory> directory, std::string path,
                       std::shared_ptr<ReportLine> line, const Engine& engine, SupervisorInfo info)
    : directory_(std::move(directory)), path_(std::move(path)) {
  entry_ = {.line = std::move(line),
            .desk = std::make_shared<CommandDesk>(),
            .board = std::make_shared<StateBoard>(std::move(info), directory_->totals())};
  std::vector<StateBoard::Change> rows;
  for (ChildIndex i = 0; i < engine.size(); ++i) {
    entry_.board->create(i, engine.child_name(i));
    rows.push_back({i, engine.child_spec(i), ChildView{}});
  }
  entry_.board->update(std::move(rows));
  directory_->enter(path_, entry_);
}

PublicFace::~PublicFace() {
  retire({Error::Code::gone, path_ + " has ended"});
}

void PublicFace::show(Engine& engine, const std::vector<Effect>& effects, TimePoint now) {
  for (const auto& wanted : effects) {
    const auto* created = std::get_if<effect::ChildCreated>(&wanted);
    if (!created) continue;
    const auto child = created->child;
    if (child < entry_.board->slots()) former_names_.try_emplace(child, entry_.board->name(child));
    entry_.board->create(child, engine.child_name(child));
  }
  const auto changed = engine.take_changed();
  if (changed.empty()) return;
  std::vector<StateBoard::Change> rows;
  rows.reserve(changed.size());
  for (const auto child : changed) {
    rows.push_back({child, engine.child_spec(child), engine.view(child, now)});
    const bool removed = rows.back().view.phase == ChildPhase::removed;
    if (removed && has_subtree(child, engine)) {
      directory_->forget(join_path(path_, entry_.board->name(child)));
    }
  }
  entry_.board->update(std::move(rows));
}

const std::string& PublicFace::name(ChildIndex child) const {
  if (!former_names_.empty()) {
    const auto former = former_names_.find(child);
    if (former != former_names_.end()) return former->second;
  }
  return entry_.board->name(child);
}

bool PublicFace::is_removed(ChildIndex child) const {
  return entry_.board->phase(child) == ChildPhase::removed;
}

void PublicFace::retire(const Error& why) {
  if (std::exchange(retired_, true)) return;
  entry_.board->retire();
  directory_->end(path_, entry_.board.get());
  entry_.desk->close(why);
}

bool PublicFace::has_subtree(ChildIndex child, const Engine& engine) const {
  const auto spec = engine.child_spec(child);
  return spec && (spec->kind == ChildKind::supervisor || spec->kind == ChildKind::pool);
}

}  // namespace espalier::supervisor
