#pragma once

#include "espalier/cli/top/top_keys.hpp"
#include "espalier/cli/top/top_tree.hpp"
#include "espalier/ipc/wire/json.hpp"
#include "espalier/ipc/wire/messages.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace espalier::cli {

enum class TopView : std::uint8_t { tree, detail, events, logs, why, help };

/// What can happen to the dashboard.
struct TopConnected {
  ipc::HelloResult hello = {};
};
struct TopLost {
  std::string why = {};
};
/// The tree has ended, and says so itself.
struct TopEnded {
  std::string reason = {};
};
struct TopEvent {
  ipc::Json body = {};  ///< An event, or the line of a gap.
  bool is_gap = false;
};
/// Lines of output, or the line of a gap.
struct TopLogs {
  std::string path = {};  ///< That was asked for; not that of the lines.
  bool begins = false;    ///< The lines were kept by the target: some may be known.
  std::vector<ipc::LogLine> lines = {};
  std::optional<ipc::Json> gap = {};
};
struct TopWhy {
  std::string path = {};
  std::optional<ipc::WhyResult> result = {};
  std::string problem = {};
};
/// How the pipeline of a child fares.
struct TopPipeline {
  std::string path = {};
  std::optional<ipc::PipelineInfo> info = {};  ///< Left out: it does not run now.
  std::string problem = {};
};
/// What came of a command, as a sentence; or what else a person should know.
struct TopNote {
  std::string text = {};
  bool is_bad = false;
  bool ends_command = false;
};
struct TopSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
struct TopTick {};
using TopInput =
    std::variant<TopConnected, TopLost, TopEnded, ipc::Snapshot, ipc::StateDeltaPush, TopEvent,
                 TopLogs, TopWhy, TopPipeline, TopNote, Key, TopSize, TopTick>;

/// What must be followed for what is shown. The state always is.
struct TopWanted {
  bool resources = false;
  bool events = false;
  std::optional<std::string> logs = {};      ///< Of this path and below; "/": all.
  std::optional<std::string> pipeline = {};  ///< Of the child at this path.
  bool operator==(const TopWanted&) const = default;
};
struct TopCommand {
  std::string words = {};   ///< "restart /a"
  std::string method = {};  ///< Without `command.`
  ipc::CommandParams params = {};
};
/// What is to be done about it.
struct TopEffects {
  std::optional<TopWanted> follow = {};
  std::optional<std::string> why = {};  ///< Ask why the node of this path is as it is.
  std::optional<TopCommand> command = {};
  bool quit = false;
  bool interrupted = false;  ///< Together with quit: by Ctrl-C.
  bool redraw = false;
};

/// Everything `espalier top` knows and does but for the terminal and the socket.
///
/// Pure: time comes as an argument. One caller at a time. Cost: O(nodes) a change of the tree or of
/// the selection, bounded memory for events and lines.
class TopModel {
 public:
  struct Options {
    std::string user = {};
    bool read_only = false;
  };
  explicit TopModel(Options options) : options_(std::move(options)) {}

  [[nodiscard]] TopEffects take(const TopInput& input, ipc::Timestamp now);
  /// A text page that was drawn could be scrolled so far and no further.
  void limit_scroll(std::size_t most);

  // --- for the view ---
  [[nodiscard]] TopView view() const { return view_; }
  [[nodiscard]] const TopTree& tree() const { return tree_; }
  [[nodiscard]] const std::string& selected() const { return selected_; }
  [[nodiscard]] std::size_t selected_row() const { return row_; }
  [[nodiscard]] std::size_t first_row() const { return first_row_; }
  [[nodiscard]] std::size_t scroll() const { return scroll_; }  ///< Events, logs: from the end.
  [[nodiscard]] const TopSize& size() const { return size_; }
  [[nodiscard]] ipc::Timestamp now() const { return now_; }
  [[nodiscard]] const ipc::HelloResult& hello() const { return hello_; }
  [[nodiscard]] std::optional<ipc::Timestamp> lost_since() const { return lost_since_; }
  [[nodiscard]] const std::string& lost_why() const { return lost_why_; }
  [[nodiscard]] const std::deque<TopEvent>& events() const { return events_; }
  struct LogEntry {
    ipc::LogLine line = {};
    std::optional<ipc::Json> gap = {};
  };
  [[nodiscard]] const std::deque<LogEntry>& logs() const { return logs_; }
  [[nodiscard]] std::string logs_path() const { return all_logs_ ? "/" : selected_; }
  [[nodiscard]] const TopWhy& why() const { return why_; }
  [[nodiscard]] const TopPipeline& pipeline() const { return pipeline_; }
  /// Items that end in a second, between the last two looks at the pipeline.
  [[nodiscard]] std::optional<double> pipeline_rate() const { return pipeline_rate_; }
  [[nodiscard]] const TopNote& note() const { return note_; }
  [[nodiscard]] std::string question() const;  ///< Empty: none is asked.
  [[nodiscard]] std::optional<std::string> draft() const { return draft_; }  ///< Of a filter.
  [[nodiscard]] const std::string& running() const { return running_; }  ///< A command under way.
  [[nodiscard]] bool is_read_only() const;

 private:
  using Moment = ipc::Timestamp;
  void on(const TopConnected& x);
  void on(const TopLost& x);
  void on(const TopEnded& x);
  void on(const ipc::Snapshot& x);
  void on(const ipc::StateDeltaPush& x);
  void on(const TopEvent& x);
  void on(const TopLogs& x);
  void on(const TopWhy& x);
  void on(const TopPipeline& x);
  void on(const TopNote& x);
  void on(const Key& key);
  void on(const TopSize& x);
  void on(const TopTick&);

  void on_question_key(const Key& key);
  void on_filter_key(const Key& key);
  void on_text_key(const std::string& text);
  bool on_command_key(char c);
  void on_move_key(const Key& key);
  void move(std::ptrdiff_t by);
  void move_to_end(bool last);
  void fold(bool folded);
  void show(TopView view);
  void back();
  void next_view(bool forward);
  void next_sort();
  void ask(const char* verb, const char* method, bool confirmed, bool fenced);
  void ask_scale(int by);
  void ask_reload();
  void send();
  void say(const std::string& text, bool is_bad = false);
  void settle();
  [[nodiscard]] TopWanted wanted() const;
  [[nodiscard]] bool shows_text() const;
  [[nodiscard]] bool explains() const;  ///< Shows why the selected node is as it is.

  Options options_;
  TopTree tree_;
  TopView view_ = TopView::tree;
  TopView behind_ = TopView::tree;  ///< Where Esc leads from why and help.
  std::string selected_ = "/";
  std::size_t row_ = 0;
  std::size_t first_row_ = 0;
  std::size_t scroll_ = 0;
  TopSize size_ = {};
  Moment now_ = {};
  ipc::HelloResult hello_ = {};
  std::optional<Moment> lost_since_ = {};
  std::string lost_why_ = {};
  std::deque<TopEvent> events_ = {};
  std::deque<LogEntry> logs_ = {};
  std::string kept_logs_path_ = {};
  bool all_logs_ = false;
  TopWhy why_ = {};
  TopPipeline pipeline_ = {};
  Moment pipeline_at_ = {};
  std::optional<double> pipeline_rate_ = {};
  TopNote note_ = {};
  Moment note_at_ = {};
  std::optional<TopCommand> question_ = {};
  std::optional<std::string> draft_ = {};
  std::string running_ = {};
  std::optional<TopWanted> followed_ = {};
  TopEffects effects_ = {};
};

/// Columns from which on processor and memory have their place in the tree.
inline constexpr std::size_t top_wide_columns = 110;
/// Lines that the view of a terminal of `rows` lines has for rows of the tree, or for text.
[[nodiscard]] std::size_t top_body_rows(std::size_t rows, TopView view);

}  // namespace espalier::cli
