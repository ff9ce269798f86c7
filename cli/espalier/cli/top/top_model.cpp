#include "espalier/cli/top/top_model.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace espalier::cli {
namespace {

constexpr std::size_t most_entries = 2000;
constexpr auto note_stays = std::chrono::seconds{10};

template <class T>
void keep(std::deque<T>& entries, T entry) {
  entries.push_back(std::move(entry));
  if (entries.size() > most_entries) entries.pop_front();
}

}  // namespace

std::size_t top_body_rows(std::size_t rows, TopView view) {
  std::size_t taken = 1;                            // Keys and questions.
  if (rows >= 3) ++taken;                           // Headline.
  if (rows >= 4) ++taken;                           // State.
  if (rows >= 10) ++taken;                          // Names of the views.
  if (rows >= 8 && view == TopView::tree) ++taken;  // Titles.
  return rows > taken ? rows - taken : 0;
}

TopEffects TopModel::take(const TopInput& input, ipc::Timestamp now) {
  now_ = now;
  effects_ = {};
  std::visit([this](const auto& x) { on(x); }, input);
  settle();
  if (const TopWanted follow = wanted(); followed_ != follow) {
    followed_ = follow;
    effects_.follow = follow;
  }
  return std::move(effects_);
}

void TopModel::limit_scroll(std::size_t most) {
  scroll_ = std::min(scroll_, most);
}

bool TopModel::is_read_only() const {
  const auto& allowed = hello_.allowed;
  const bool may = allowed.empty() || std::find(allowed.begin(), allowed.end(),
                                                ipc::MethodClass::write) != allowed.end();
  return options_.read_only || !may;
}

std::string TopModel::question() const {
  return question_ ? question_->words + "? y/N" : "";
}

bool TopModel::shows_text() const {
  return view_ == TopView::detail || view_ == TopView::why || view_ == TopView::help;
}

bool TopModel::explains() const {
  return view_ == TopView::detail || view_ == TopView::why;
}

TopWanted TopModel::wanted() const {
  TopWanted out;
  const bool wide = size_.columns >= top_wide_columns;
  out.resources = view_ == TopView::detail || (view_ == TopView::tree && wide);
  out.events = view_ == TopView::events;
  if (view_ == TopView::logs) out.logs = logs_path();
  const auto* const node = view_ == TopView::detail ? tree_.find(selected_) : nullptr;
  if (node && node->kind == supervisor::ChildKind::pipeline) out.pipeline = selected_;
  return out;
}

void TopModel::on(const TopConnected& x) {
  if (lost_since_) say("connected again");
  lost_since_.reset();
  hello_ = x.hello;
}

void TopModel::on(const TopLost& x) {
  if (!lost_since_) lost_since_ = now_;
  lost_why_ = x.why;
}

void TopModel::on(const TopEnded& x) {
  if (!lost_since_) lost_since_ = now_;
  lost_why_ = "the tree has ended: " + x.reason;
}

void TopModel::on(const ipc::Snapshot& x) {
  tree_.take(x);
  if (explains()) effects_.why = selected_;
}

void TopModel::on(const ipc::StateDeltaPush& x) {
  const auto of_selected = [&](const ipc::NodeInfo& node) {
    const auto* const before = node.path == selected_ ? tree_.find(selected_) : nullptr;
    return before && (before->phase != node.phase || before->generation != node.generation);
  };
  if (explains() && std::any_of(x.changed.begin(), x.changed.end(), of_selected))
    effects_.why = selected_;
  tree_.take(x);
}

void TopModel::on(const TopEvent& x) {
  keep(events_, x);
  if (view_ == TopView::events && scroll_ > 0) ++scroll_;
}

// After a broken connection, lines that are there already come again.
void TopModel::on(const TopLogs& x) {
  if (x.path != logs_path()) return;  // Of a view that was left.
  if (x.path != kept_logs_path_) logs_.clear();
  kept_logs_path_ = x.path;
  const ipc::Timestamp last = logs_.empty() ? ipc::Timestamp{} : logs_.back().line.at;
  if (x.gap) keep(logs_, LogEntry{{.at = last}, x.gap});
  for (const ipc::LogLine& line : x.lines) {
    if (x.begins && line.at <= last) continue;
    keep(logs_, LogEntry{line, {}});
    if (view_ == TopView::logs && scroll_ > 0) ++scroll_;
  }
}

void TopModel::on(const TopWhy& x) {
  why_ = x;
}

void TopModel::on(const TopPipeline& x) {
  const auto ended = [](const TopPipeline& one) {
    return one.info->accepted - one.info->in_flight;
  };
  const std::chrono::duration<double> passed = now_ - pipeline_at_;
  const bool follows = pipeline_.path == x.path && pipeline_.info && x.info && passed.count() > 0;
  pipeline_rate_.reset();
  // Fewer than before: another attempt of the child has begun from zero.
  if (follows && ended(x) >= ended(pipeline_))
    pipeline_rate_ = static_cast<double>(ended(x) - ended(pipeline_)) / passed.count();
  pipeline_ = x;
  pipeline_at_ = now_;
}

void TopModel::on(const TopNote& x) {
  if (x.ends_command) running_.clear();
  say(x.text, x.is_bad);
}

void TopModel::on(const TopSize& x) {
  size_ = x;
  effects_.redraw = true;
}

void TopModel::on(const TopTick&) {
  if (!note_.text.empty() && now_ - note_at_ > note_stays) note_ = {};
}

void TopModel::say(const std::string& text, bool is_bad) {
  note_ = {text, is_bad};
  note_at_ = now_;
}

// The selection stays on its node; where that is gone or hidden, on what stands in its place.
void TopModel::settle() {
  const auto& rows = tree_.rows();
  if (rows.empty()) {
    row_ = first_row_ = 0;
    return;
  }
  const bool stays = row_ < rows.size() && tree_.node(rows[row_]).path == selected_;
  const std::size_t found = stays ? row_ : tree_.row_of(selected_);
  if (found < rows.size()) {
    row_ = found;
  } else if (view_ == TopView::tree || tree_.find(selected_) == nullptr) {
    row_ = std::min(row_, rows.size() - 1);
    if (view_ == TopView::tree) selected_ = tree_.node(rows[row_]).path;
  }
  const std::size_t room = std::max<std::size_t>(top_body_rows(size_.rows, TopView::tree), 1);
  if (row_ < first_row_) first_row_ = row_;
  if (row_ >= first_row_ + room) first_row_ = row_ - room + 1;
  first_row_ = std::min(first_row_, rows.size() > room ? rows.size() - room : 0);
}

void TopModel::show(TopView view) {
  if ((view == TopView::help || view == TopView::why) && view_ != view) {
    if (view_ != TopView::help && view_ != TopView::why) behind_ = view_;
  }
  view_ = view;
  scroll_ = 0;
  if (explains()) {
    if (why_.path != selected_) why_ = {};
    effects_.why = selected_;
  }
}

void TopModel::back() {
  if (view_ == TopView::why || view_ == TopView::help) {
    show(behind_);
  } else if (view_ != TopView::tree) {
    show(TopView::tree);
  } else if (!tree_.filter().empty()) {
    tree_.set_filter("");
  } else {
    effects_.quit = true;
  }
}

void TopModel::next_view(bool forward) {
  constexpr int views = 4;
  const int now = view_ == TopView::why || view_ == TopView::help ? static_cast<int>(behind_)
                                                                  : static_cast<int>(view_);
  show(static_cast<TopView>((now + (forward ? 1 : views - 1)) % views));
}

void TopModel::next_sort() {
  switch (tree_.sort()) {
    case TopSort::tree:
      return tree_.set_sort(TopSort::restarts);
    case TopSort::restarts:
      return tree_.set_sort(TopSort::since);
    case TopSort::since:
      return tree_.set_sort(TopSort::tree);
  }
}

void TopModel::fold(bool folded) {
  if (row_ >= tree_.rows().size()) return;
  const TopTree::Row row = tree_.rows()[row_];
  if (row.has_children && row.is_folded != folded) {
    tree_.set_folded(selected_, folded);
  } else if (folded && selected_ != "/" && tree_.find(parent_of(selected_))) {
    selected_ = parent_of(selected_);
  }
}

void TopModel::move(std::ptrdiff_t by) {
  constexpr auto far = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
  const auto moved = [](std::size_t from, std::ptrdiff_t step, std::size_t most) {
    if (step < 0) return from - std::min(from, static_cast<std::size_t>(-step));
    return std::min(from + static_cast<std::size_t>(step), most);
  };
  if (view_ == TopView::tree) {
    const auto& rows = tree_.rows();
    if (rows.empty()) return;
    row_ = moved(row_, by, rows.size() - 1);
    selected_ = tree_.node(rows[row_]).path;
  } else {
    scroll_ = moved(scroll_, shows_text() ? by : -by, far);
  }
}

void TopModel::move_to_end(bool last) {
  constexpr auto far = std::numeric_limits<std::ptrdiff_t>::max() / 2;
  move(last ? far : -far);
}

}  // namespace espalier::cli
