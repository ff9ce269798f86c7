#include "espalier/supervisor/runtime/reload.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace espalier::supervisor {

namespace {

// One reload on its way through the tree. Each answer begins the next level, on the thread of the
// supervisor that gave it; nobody waits.
class Reload : public std::enable_shared_from_this<Reload> {
 public:
  Reload(std::shared_ptr<TreeServices> services, Command command, CommandDesk::Answer done)
      : services_(std::move(services)),
        router_(services_),
        command_(std::move(command)),
        done_(std::move(done)) {
    outcome_.path = command_.path;
    outcome_.changed = false;
    levels_.push_back({command_.path, command_.tree, {}, {}});
  }

  void next() {
    if (levels_.empty()) return finish();
    const auto level = levels_.front();
    levels_.pop_front();
    const auto entry = services_->directory->find(level.path);
    // Taken away or begun anew by the step before: it has the new spec already.
    const bool same = entry && !entry->ended && (!level.board || entry->board == level.board);
    if (!same && level.board) return next();
    const auto nested = nested_of(level);
    auto command = command_;
    command.path = level.path;
    command.tree = level.spec;
    command.spec = level.pool;
    router_.order(level.path, "", std::move(command),
                  [self = shared_from_this(), path = level.path, nested](const auto& result) {
                    self->answered(path, nested, result);
                  });
  }

 private:
  struct Level {
    std::string path = {};
    std::shared_ptr<const SupervisorSpec> spec = {};
    std::shared_ptr<const ChildSpec> pool = {};  // In its place where the level is a pool.
    std::shared_ptr<StateBoard> board = {};      // Of the one that was there before.
  };

  [[nodiscard]] std::vector<Level> nested_of(const Level& level) const {
    std::vector<Level> result;
    if (level.pool) return result;
    for (const auto& child : level.spec->children) {
      if (!child.supervisor && !child.pool) continue;
      const auto path = join_path(level.path, child.name);
      const auto entry = services_->directory->find(path);
      if (!entry || entry->ended || entry->board->info().kind != child.kind) continue;
      auto pool = child.pool ? std::make_shared<const ChildSpec>(child) : nullptr;
      result.push_back({path, child.supervisor, std::move(pool), entry->board});
    }
    return result;
  }

  void answered(const std::string& path, const std::vector<Level>& nested,
                const CommandResult& result) {
    if (!result) return fail(path, result.error());
    const auto& plan = result->plan;
    outcome_.plan.insert(outcome_.plan.end(), plan.begin(), plan.end());
    outcome_.changed = outcome_.changed || result->changed;
    // A parent before what is below it, that before the parent's siblings.
    auto place = levels_.begin();
    for (const auto& level : nested) {
      if (is_replaced(level.path, plan)) continue;
      // A pool keeps no file of its own: what it is to be is in the plan of its supervisor.
      if (level.pool && (command_.dry_run || !is_changed(level.path, plan))) continue;
      place = std::next(levels_.insert(place, level));
    }
    next();
  }

  // A dry run replaces nothing, so what the plan says counts.
  [[nodiscard]] static bool is_replaced(const std::string& path,
                                        const std::vector<std::string>& plan) {
    const auto replaces = [&](const std::string& line, const char* verb) {
      const auto begin = verb + path;
      if (!line.starts_with(begin)) return false;
      return line.size() == begin.size() || line[begin.size()] == ':' || line[begin.size()] == ' ';
    };
    return std::any_of(plan.begin(), plan.end(), [&](const std::string& line) {
      return replaces(line, "restart ") || replaces(line, "stop and remove ") ||
             replaces(line, "start ");
    });
  }

  [[nodiscard]] static bool is_changed(const std::string& path,
                                       const std::vector<std::string>& plan) {
    const auto begin = "change " + path + " in place: ";
    return std::any_of(plan.begin(), plan.end(),
                       [&](const std::string& line) { return line.starts_with(begin); });
  }

  void finish() {
    const auto steps = std::to_string(outcome_.plan.size());
    if (outcome_.plan.empty()) {
      outcome_.text = "nothing differs";
    } else {
      outcome_.text = (command_.dry_run ? "would take " : "done in ") + steps +
                      (outcome_.plan.size() == 1 ? " step" : " steps");
    }
    done_(outcome_);
  }

  void fail(const std::string& path, Error error) {
    if (!outcome_.plan.empty()) {
      error.message += "; " + std::to_string(outcome_.plan.size()) + " steps before " + path +
                       " are done; reload again once this is mended";
    }
    done_(unexpected<Error>(std::move(error)));
  }

  std::shared_ptr<TreeServices> services_;
  CommandRouter router_;
  Command command_;
  CommandDesk::Answer done_;
  std::deque<Level> levels_;
  CommandOutcome outcome_;
};

}  // namespace

void reload_tree(std::shared_ptr<TreeServices> services, Command command,
                 CommandDesk::Answer done) {
  std::make_shared<Reload>(std::move(services), std::move(command), std::move(done))->next();
}

}  // namespace espalier::supervisor
