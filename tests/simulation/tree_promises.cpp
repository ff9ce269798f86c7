#include "simulation/tree_promises.hpp"

#include <algorithm>
#include <iterator>

namespace espalier::simulation {

namespace {

std::string attempt(const std::string& path, std::uint64_t number) {
  return path + "#" + std::to_string(number);
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool should_live(ChildPhase phase) {
  return phase == ChildPhase::starting || phase == ChildPhase::running ||
         phase == ChildPhase::suspended || phase == ChildPhase::stopping ||
         phase == ChildPhase::aborting;
}

bool is_leaf(const BoardRow& row) {
  return row.spec && row.spec->kind != ChildKind::supervisor && row.spec->kind != ChildKind::pool;
}

}  // namespace

void TreePromises::publish(const Event& event) {
  ++events_;
  world_.note(std::to_string(event.sequence) + " " + event.path + " " + type_name(event.body) +
              " " + describe(event.body, event.path));
  check_number(event);
  const auto& body = event.body;
  if (std::holds_alternative<events::TreeStarting>(body)) forget_below(event.path);
  if (std::holds_alternative<events::ChildStarting>(body)) check_start(event);
  if (const auto* exited = std::get_if<events::ChildExited>(&body)) check_exit(event, *exited);
  if (const auto* decided = std::get_if<events::RestartDecided>(&body)) {
    check_limits(event, *decided->decision);
  }
  if (std::holds_alternative<events::ChildAbortFailed>(body)) {
    given_up_.insert(event.path);
    world_.give_up(event.path, event.generation);
  }
  const auto* done = std::get_if<events::CommandDone>(&body);
  if (done && done->result == "done") used_.erase(done->child);
  // A quarantined child that is resumed begins with clear counters, long before that is done.
  const bool is_cleared = std::holds_alternative<events::FuseReset>(body) ||
                          std::holds_alternative<events::ChildResumed>(body);
  if (is_cleared) used_.erase(event.path);
  if (std::holds_alternative<events::ChildRemoved>(body)) {
    forget_below(event.path);
    generations_.erase(event.path);
    used_.erase(event.path);
  }
  if (std::holds_alternative<events::PlanApplied>(body)) used_.clear();
  if (std::holds_alternative<events::TreeStopped>(body) && event.path == "/") over_ = true;
}

void TreePromises::check_number(const Event& event) {
  highest_ = std::max(highest_, event.sequence);
  if (event.sequence <= complete_ || !ahead_.insert(event.sequence).second) {
    world_.breach("event number " + std::to_string(event.sequence) + " comes twice");
  }
  while (!ahead_.empty() && *ahead_.begin() == complete_ + 1) {
    ahead_.erase(ahead_.begin());
    ++complete_;
  }
  if (event.cause.caused_by >= event.sequence) {
    world_.breach("event " + std::to_string(event.sequence) + " comes before its cause");
  }
}

void TreePromises::check_start(const Event& event) {
  const auto what = attempt(event.path, event.generation);
  const bool in_orphan = std::any_of(given_up_.begin(), given_up_.end(), [&](const auto& path) {
    return is_at_or_below(event.path, path);
  });
  if (over_ && !in_orphan) world_.breach(what + " starts after the tree has stopped");
  auto& last = generations_[event.path];
  if (event.generation != last + 1) {
    world_.breach(what + " starts after generation " + std::to_string(last));
  }
  last = event.generation;
}

void TreePromises::check_exit(const Event& event, const events::ChildExited& body) {
  const auto what = attempt(event.path, event.generation);
  const auto life = world_.living(event.path);
  if (life && life->number() == event.generation && !life->abandoned) {
    world_.breach("the end of " + what + " is told, but it lives");
  }
  const auto untold = world_.untold().find({event.path, event.generation});
  if (untold == world_.untold().end()) return;
  if (body.exit.message.find(untold->second) == std::string::npos) {
    world_.breach(what + " said '" + untold->second + "' at its end, told is '" +
                  body.exit.message + "'");
  }
  world_.untold().erase(untold);
}

void TreePromises::check_limits(const Event& event, const RestartDecision& decision) {
  if (!is_restart(decision.verdict)) return;
  ++restarts_;
  for (const auto& check : decision.checks) {
    const RestartLimit limit{static_cast<std::uint32_t>(check.limit), check.window};
    if (check.rule == Rule::child_limit) {
      check_window(event.path, limit, used_[event.path]);
    } else if (check.rule == Rule::supervisor_limit) {
      const auto above = parent_of(event.path);
      check_window(above, limit, used_[above + "/"]);
    }
  }
}

void TreePromises::check_window(const std::string& what, const RestartLimit& limit,
                                std::deque<TimePoint>& times) {
  times.push_back(world_.now());
  while (times.front() < world_.now() - limit.window)
    times.pop_front();
  if (times.size() > limit.max_restarts) {
    world_.breach(what + " uses " + std::to_string(times.size()) + " restarts of " +
                  std::to_string(limit.max_restarts) + " in " + human(limit.window));
  }
}

// A supervisor that begins anew knows nothing of what was below it.
void TreePromises::forget_below(const std::string& path) {
  const auto top = path == "/" ? path : path + "/";
  std::erase_if(generations_, [&](const auto& x) { return x.first.starts_with(top); });
  std::erase_if(used_, [&](const auto& x) { return x.first.starts_with(top); });
}

void TreePromises::check_quiet() {
  if (complete_ != highest_) {
    world_.breach("event number " + std::to_string(complete_ + 1) + " never came");
    complete_ = highest_;
    ahead_.clear();
  }
  for (const auto& [what, text] : world_.untold())
    world_.breach("the end of " + attempt(what.first, what.second) + " is never told");
  world_.untold().clear();
  for (const auto& [path, entry] : services_.directory->below("/"))
    check_board(path, entry);
  for (const auto& [path, life] : world_.lives()) {
    const auto place = services_.directory->above(path);
    const auto row = place && place->path == parent_of(path)
                         ? place->supervisor.board->find(place->rest)
                         : std::nullopt;
    if (!row && !life->abandoned) world_.breach(path + " lives and is shown nowhere");
  }
}

void TreePromises::check_board(const std::string& path, const SupervisorEntry& entry) {
  std::vector<BoardRow> rows;
  for (std::size_t from = 0; entry.board->page(from, 64, rows);) {
  }
  for (const auto& row : rows) {
    if (is_leaf(row)) check_row(join_path(path, row.name), row, entry.ended);
  }
}

void TreePromises::check_row(const std::string& path, const BoardRow& row, bool is_ended) {
  const auto life = world_.living(path);
  const bool lives = life && !life->abandoned;
  const bool shown = should_live(row.view.phase) && !is_ended;
  if (shown && !lives) {
    world_.breach(path + " is shown " + to_string(row.view.phase) + " and does not live");
  }
  if (!shown && lives) {
    world_.breach(path + " is shown " + to_string(row.view.phase) + " and lives");
  }
  if (shown && lives && row.view.generation != life->number()) {
    world_.breach(attempt(path, life->number()) + " is shown as #" +
                  std::to_string(row.view.generation));
  }
}

void TreePromises::check_end(const effect::Finished& how) {
  std::map<std::string, ChildShutdownOutcome> told;
  for (const auto& status : how.children) {
    if (!told.emplace(status.path, status.outcome).second) {
      world_.breach("the end of the tree has two statuses of " + status.path);
    }
  }
  for (const auto& [path, life] : world_.lives()) {
    const auto found = told.find(path);
    if (found == told.end() || found->second != ChildShutdownOutcome::abort_failed) {
      world_.breach(path + " lives after the end and is reported " +
                    (found == told.end() ? "nowhere" : to_string(found->second)));
    }
  }
  if (services_.census->actors() > 0) {
    world_.breach(std::to_string(services_.census->actors()) + " actors live after the end");
  }
}

}  // namespace espalier::simulation
