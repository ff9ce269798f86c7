#include "espalier/supervisor/actor/state_board.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace espalier::supervisor {

namespace {

std::size_t at(ChildPhase phase) {
  return static_cast<std::size_t>(phase);
}

std::int64_t microseconds_now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

bool seems_alive(ChildPhase phase) {
  using enum ChildPhase;
  return phase != stopped && phase != paused && phase != held && phase != quarantined &&
         phase != abandoned && phase != removed;
}

}  // namespace

void TreeTotals::add(ChildPhase phase, bool unready) {
  by_phase_[at(phase)].fetch_add(1, std::memory_order_relaxed);
  if (unready && unready_.fetch_add(1) == 0) changed_ = microseconds_now();
}

void TreeTotals::remove(ChildPhase phase, bool unready) {
  by_phase_[at(phase)].fetch_sub(1, std::memory_order_relaxed);
  if (unready && unready_.fetch_sub(1) == 1) changed_ = microseconds_now();
}

PhaseCounts TreeTotals::counts() const {
  PhaseCounts result;
  for (std::size_t i = 0; i < result.by_phase.size(); ++i) {
    result.by_phase[i] = by_phase_[i].load(std::memory_order_relaxed);
    result.total += result.by_phase[i];
  }
  result.unready = unready_.load();
  return result;
}

std::optional<std::chrono::system_clock::time_point> TreeTotals::readiness_changed() const {
  const auto at = changed_.load();
  if (at == 0) return {};
  return std::chrono::system_clock::time_point{std::chrono::microseconds{at}};
}

StateBoard::StateBoard(SupervisorInfo info, std::shared_ptr<TreeTotals> totals)
    : info_(std::move(info)),
      totals_(std::move(totals)),
      shown_(0, NameHash{this}, NameEqual{this}) {}

StateBoard::~StateBoard() {
  leave();
}

void StateBoard::leave() {
  const std::lock_guard lock{mutex_};
  if (!totals_) return;
  for (const auto child : shown_)
    totals_->remove(rows_[child].view.phase, is_unready(rows_[child]));
  totals_.reset();
}

void StateBoard::create(ChildIndex child, std::string name) {
  const std::lock_guard lock{mutex_};
  if (child >= rows_.size()) {
    rows_.resize(child + std::size_t{1}, {.view = {.phase = ChildPhase::removed}});
  }
  if (rows_[child].view.phase != ChildPhase::removed) {
    shown_.erase(child);
    count(rows_[child], false);
  }
  rows_[child] = {.name = std::move(name), .view = {}};
  shown_.insert(child);
  count(rows_[child], true);
}

void StateBoard::update(std::vector<Change> changes) {
  const std::lock_guard lock{mutex_};
  for (auto& change : changes)
    apply(change);
}

void StateBoard::apply(Change& change) {
  if (change.child >= rows_.size()) return;
  auto& row = rows_[change.child];
  if (row.view.phase == ChildPhase::removed) return;
  count(row, false);
  if (change.view.phase == ChildPhase::removed) {
    shown_.erase(change.child);
    row.spec.reset();
    row.view = {.phase = ChildPhase::removed};
  } else {
    row.spec = std::move(change.spec);
    row.view = std::move(change.view);
    count(row, true);
  }
}

void StateBoard::tell(SupervisorInfo info) {
  const std::lock_guard lock{mutex_};
  info_ = std::move(info);
}

void StateBoard::retire() {
  const std::lock_guard lock{mutex_};
  for (const auto child : shown_) {
    auto& row = rows_[child];
    count(row, false);
    if (seems_alive(row.view.phase)) row.view.phase = ChildPhase::stopped;
    row.view.due.reset();
    row.view.pid.reset();
    count(row, true);
  }
}

SupervisorInfo StateBoard::info() const {
  const std::lock_guard lock{mutex_};
  return info_;
}

PhaseCounts StateBoard::counts() const {
  const std::lock_guard lock{mutex_};
  return counts_;
}

std::optional<BoardRow> StateBoard::find(std::string_view name) const {
  const std::lock_guard lock{mutex_};
  const auto found = shown_.find(name);
  if (found == shown_.end()) return {};
  return rows_[*found];
}

bool StateBoard::page(std::size_t& from, std::size_t limit, std::vector<BoardRow>& into) const {
  const std::lock_guard lock{mutex_};
  const auto end = std::min(rows_.size(), from + limit);
  for (; from < end; ++from) {
    if (rows_[from].view.phase != ChildPhase::removed) into.push_back(rows_[from]);
  }
  return from < rows_.size();
}

// An end that was asked for or went well is no reason to worry.
bool StateBoard::is_unready(const BoardRow& row) {
  using enum ChildPhase;
  const auto& view = row.view;
  if (row.spec && row.spec->policy.severity == SeverityClass::optional) return false;
  if (view.intent != Intent::run || view.phase == running || view.phase == suspended) return false;
  if (view.phase == paused || view.phase == removed) return false;
  return view.phase != stopped || (view.last_exit && view.last_exit->is_failure());
}

void StateBoard::count(const BoardRow& row, bool present) {
  const bool unready = is_unready(row);
  auto& phase = counts_.by_phase[at(row.view.phase)];
  if (present) {
    ++counts_.total;
    ++phase;
    counts_.unready += unready ? 1 : 0;
    if (totals_) totals_->add(row.view.phase, unready);
  } else {
    --counts_.total;
    --phase;
    counts_.unready -= unready ? 1 : 0;
    if (totals_) totals_->remove(row.view.phase, unready);
  }
}

std::size_t StateBoard::NameHash::operator()(ChildIndex child) const noexcept {
  return (*this)(std::string_view{board->rows_[child].name});
}

std::size_t StateBoard::NameHash::operator()(std::string_view name) const noexcept {
  return std::hash<std::string_view>{}(name);
}

bool StateBoard::NameEqual::operator()(std::string_view a, ChildIndex b) const {
  return board->rows_[b].name == a;
}

}  // namespace espalier::supervisor
