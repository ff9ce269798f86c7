#include "espalier/cli/top/top_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace espalier::cli {
namespace {

using Kind = Key::Kind;

struct CommandKey {
  char key;
  const char* verb;
  const char* method;
  bool confirmed;  ///< Dangerous: the target wants to hear that a person said yes.
  bool fenced;     ///< Only the attempt that was looked at.
};
// What begins anew by itself is not to be hit again. To hold one back is meant for whichever
// attempt there is by then: of one that crashes all the time, another would be there with every
// answer.
constexpr std::array command_keys = {
    CommandKey{'r', "restart", "restart_child", false, true},
    CommandKey{'S', "stop", "stop_child", false, false},
    CommandKey{'t', "start", "start_child", false, false},
    CommandKey{'p', "pause", "pause_child", false, false},
    CommandKey{'u', "resume", "resume_child", false, false},
    CommandKey{'x', "quarantine", "quarantine_child", false, false},
    CommandKey{'c', "reset", "reset_child", false, false},
    CommandKey{'X', "remove", "remove_child", true, false},
};
constexpr std::uint64_t command_timeout_ms = 10'000;
constexpr std::size_t longest_filter = 200;

// The last character of UTF-8.
void drop_last(std::string& text) {
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.back());
    text.pop_back();
    if ((byte & 0xC0U) != 0x80U) return;
  }
}

}  // namespace

void TopModel::on(const Key& key) {
  if (key.kind == Kind::interrupt) {
    effects_.quit = true;
    effects_.interrupted = true;
  } else if (key.kind == Kind::redraw) {
    effects_.redraw = true;
  } else if (question_) {
    on_question_key(key);
  } else if (draft_) {
    on_filter_key(key);
  } else {
    note_ = {};
    if (key.kind == Kind::text) {
      on_text_key(key.text);
    } else {
      on_move_key(key);
    }
  }
}

void TopModel::on_question_key(const Key& key) {
  if (key.kind == Kind::text && (key.text == "y" || key.text == "Y")) {
    send();
  } else {
    say("nothing was changed");
  }
  question_.reset();
}

void TopModel::on_filter_key(const Key& key) {
  switch (key.kind) {
    case Kind::text:
      if (draft_->size() + key.text.size() <= longest_filter) *draft_ += key.text;
      break;
    case Kind::backspace:
      drop_last(*draft_);
      break;
    case Kind::escape:
      draft_.reset();
      tree_.set_filter("");
      return;
    case Kind::enter:
      draft_.reset();
      return;
    default:
      return;
  }
  tree_.set_filter(*draft_);
}

void TopModel::on_move_key(const Key& key) {
  const auto page =
      static_cast<std::ptrdiff_t>(std::max<std::size_t>(top_body_rows(size_.rows, view_), 2) - 1);
  switch (key.kind) {
    case Kind::up:
      return move(-1);
    case Kind::down:
      return move(1);
    case Kind::page_up:
      return move(-page);
    case Kind::page_down:
      return move(page);
    case Kind::home:
      return move_to_end(false);
    case Kind::end:
      return move_to_end(true);
    case Kind::left:
      return view_ == TopView::tree ? fold(true) : back();
    case Kind::right:
      return view_ == TopView::tree ? fold(false) : void();
    case Kind::enter:
      return view_ == TopView::tree && tree_.is_known() ? show(TopView::detail) : void();
    case Kind::escape:
      return back();
    case Kind::backspace:
      return view_ == TopView::tree ? void() : back();
    case Kind::tab:
      return next_view(true);
    case Kind::back_tab:
      return next_view(false);
    case Kind::text:
    case Kind::interrupt:
    case Kind::redraw:
      return;
  }
}

void TopModel::on_text_key(const std::string& text) {
  if (text.size() != 1) return;
  const char c = text.front();
  if (on_command_key(c)) return;
  switch (c) {
    case 'j':
      return move(1);
    case 'k':
      return move(-1);
    case 'g':
      return move_to_end(false);
    case 'G':
      return move_to_end(true);
    case 'q':
      if (view_ == TopView::tree) {
        effects_.quit = true;
        return;
      }
      return back();
    case '1':
    case '2':
    case '3':
    case '4':
      return show(static_cast<TopView>(c - '1'));
    case 'w':
      return show(TopView::why);
    case '?':
      return show(TopView::help);
    case ' ':
      if (view_ == TopView::tree) tree_.toggle(selected_);
      return;
    case 's':
      return next_sort();
    case 'a':
      if (view_ == TopView::logs) all_logs_ = !all_logs_, scroll_ = 0;
      return;
    case '/':
      if (view_ != TopView::tree) show(TopView::tree);
      draft_ = tree_.filter();
      return;
    default:
      return say("no such key; ? lists them");
  }
}

bool TopModel::on_command_key(char c) {
  const auto found = std::find_if(command_keys.begin(), command_keys.end(),
                                  [&](const CommandKey& x) { return x.key == c; });
  const bool scales = c == '+' || c == '-';
  if (found == command_keys.end() && !scales && c != 'R') return false;
  if (is_read_only()) {
    say("only looking: commands are turned off");
  } else if (lost_since_ || !tree_.is_known()) {
    say("there is no connection, so nothing can be commanded", true);
  } else if (!running_.empty()) {
    say("still at it: " + running_);
  } else if (scales) {
    ask_scale(c == '+' ? 1 : -1);
  } else if (c == 'R') {
    ask_reload();
  } else {
    ask(found->verb, found->method, found->confirmed, found->fenced);
  }
  return true;
}

void TopModel::ask(const char* verb, const char* method, bool confirmed, bool fenced) {
  const ipc::NodeInfo* const node = tree_.find(selected_);
  if (node == nullptr) return say(selected_ + " is no longer there", true);
  TopCommand command;
  command.words = std::string(verb) + " " + selected_;
  command.method = method;
  command.params.path = selected_;
  if (confirmed) command.params.confirmed = true;
  if (fenced) command.params.expected_generation = node->generation;
  question_ = std::move(command);
}

// An instance stands for its pool.
void TopModel::ask_scale(int by) {
  const auto is_pool = [](const ipc::NodeInfo* node) {
    return node && node->kind == supervisor::ChildKind::pool;
  };
  std::string pool = selected_;
  if (!is_pool(tree_.find(pool))) pool = parent_of(selected_);
  if (!is_pool(tree_.find(pool))) return say(selected_ + " is no pool, so it has no size");
  const std::size_t now = tree_.children_of(pool);
  if (by < 0 && now == 0) return say(pool + " has no instances");
  TopCommand command;
  const std::size_t size = by > 0 ? now + 1 : now - 1;
  command.words = "scale " + pool + " to " + std::to_string(size);
  command.method = "scale_pool";
  command.params.path = pool;
  command.params.size = size;
  question_ = std::move(command);
}

void TopModel::ask_reload() {
  TopCommand command;
  command.words = "let " + hello_.target_id + " follow its file (reload)";
  command.method = "reload";
  command.params.confirmed = true;
  question_ = std::move(command);
}

void TopModel::send() {
  if (lost_since_) return say("the connection was lost; nothing was sent", true);
  question_->params.requested_by = options_.user;
  question_->params.reason = "espalier top by " + options_.user;
  question_->params.timeout_ms = command_timeout_ms;
  running_ = question_->words;
  effects_.command = std::move(question_);
}

}  // namespace espalier::cli
