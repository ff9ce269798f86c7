#include "espalier/cli/top/top_view.hpp"

#include "espalier/cli/remote/words.hpp"
#include "espalier/cli/text_cells.hpp"

#include <algorithm>
#include <array>

namespace espalier::cli {
namespace {

struct Column {
  const char* title;
  std::size_t width;
  bool wide_only;
};
constexpr std::array columns = {Column{"PHASE", 13, false},  Column{"RESTARTS", 8, false},
                                Column{"PID", 7, false},     Column{"SINCE", 7, false},
                                Column{"CPU TIME", 8, true}, Column{"MEMORY", 8, true}};

std::size_t name_width(std::size_t width) {
  if (width >= top_wide_columns) return 40;
  return std::clamp<std::size_t>(width / 3, 10, 36);
}

std::string restarts_of(const ipc::RestartsInfo& restarts) {
  if (restarts.limit > 0)
    return std::to_string(restarts.used) + "/" + std::to_string(restarts.limit);
  return restarts.total == 0 ? "" : std::to_string(restarts.total);
}

// What is worth knowing of it beyond its numbers.
std::string remark_of(const ipc::NodeInfo& node, ipc::Timestamp now) {
  if (node.pending_restart) {
    const bool due = node.pending_restart->at <= now;
    return (due ? "restart is due" : "restart in " + age(now, node.pending_restart->at)) +
           (node.pending_restart->reason.empty() ? "" : ", " + node.pending_restart->reason);
  }
  const bool well = node.lifecycle == ipc::Lifecycle::ready;
  if (well && node.status_text) return *node.status_text;
  if (!well && node.last_exit) return exit_text(*node.last_exit);
  return node.status_text.value_or("");
}

// Cells beside each other as long as there is room; the line is never wider.
class Row {
 public:
  Row(std::size_t width, bool color) : left_(width), color_(color) {}
  void add(const std::string& text, std::size_t width, Ink ink = Ink::plain) {
    width = std::min(width, left_);
    if (width == 0) return;
    left_ -= width;
    line_ += paint(fit(escape_controls(text), width), ink, color_);
    if (left_ == 0) return;
    --left_;
    line_ += ' ';
  }
  void add_rest(const std::string& text, Ink ink) { add(text, left_, ink); }
  [[nodiscard]] std::string line() const { return line_; }

 private:
  std::size_t left_;
  bool color_;
  std::string line_;
};

class Painter {
 public:
  Painter(const TopModel& model, const TopLook& look)
      : model_(model), look_(look), width_(model.size().columns), rows_(model.size().rows) {}

  TopFrame frame() {
    if (rows_ >= 3) add(headline());
    if (rows_ >= 10 && look_.has_keys) add(views());
    body();
    if (rows_ >= 4) add(state_line());
    if (look_.has_keys) add(bottom_line());
    return std::move(frame_);
  }

 private:
  void add(const std::string& line) { frame_.lines.push_back(cut_colored(line, width_)); }
  [[nodiscard]] std::string ink(const std::string& text, Ink ink) const {
    return paint(escape_controls(text), ink, look_.color);
  }

  [[nodiscard]] std::string headline() const {
    const auto& hello = model_.hello();
    std::string name = hello.target_id;
    if (!hello.display_name.empty() && hello.display_name != name)
      name += " (" + hello.display_name + ")";
    std::string facts = "pid " + std::to_string(hello.pid) + "  up " +
                        age(hello.started_at, model_.now()) + "  " +
                        count_of(model_.tree().restarts(), "restart");
    if (model_.is_read_only()) facts += "  read-only";
    return ink("espalier top  " + name, Ink::strong) + "  " + ink(facts, Ink::plain);
  }

  [[nodiscard]] std::string views() const {
    static constexpr std::array names = {"1 tree", "2 detail", "3 events", "4 logs"};
    std::string out;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const bool here = static_cast<std::size_t>(model_.view()) == i;
      out += ink(here ? "[" + std::string(names[i]) + "]" : " " + std::string(names[i]) + " ",
                 here ? Ink::strong : Ink::faint);
    }
    return out + "  " + ink(about(), Ink::plain);
  }

  // What the view is about, beside the names of the views.
  [[nodiscard]] std::string about() const {
    const auto& tree = model_.tree();
    switch (model_.view()) {
      case TopView::tree: {
        std::string out = tree.sort() == TopSort::tree       ? ""
                          : tree.sort() == TopSort::restarts ? "most restarts first"
                                                             : "latest change first";
        if (!tree.filter().empty())
          out += (out.empty() ? "" : ", ") + std::string("filter: ") + tree.filter();
        return out;
      }
      case TopView::detail:
        return model_.selected();
      case TopView::why:
        return "why: " + model_.selected();
      case TopView::help:
        return "keys";
      case TopView::events:
        return streams();
      case TopView::logs:
        return (model_.logs_path() == "/" ? "all" : model_.logs_path()) + ", " + streams();
    }
    return "";
  }
  [[nodiscard]] std::string streams() const {
    return model_.scroll() == 0 ? "live" : "scrolled back; G: live";
  }

  void body() {
    const std::size_t unused = look_.has_keys ? 0 : rows_ >= 10 ? 2 : 1;
    const std::size_t room = top_body_rows(rows_, model_.view()) + unused;
    const std::size_t before = frame_.lines.size();
    if (model_.view() == TopView::tree) {
      if (rows_ >= 8) add(titles());
      const std::size_t titled = frame_.lines.size();
      tree(room);
      frame_.lines.resize(titled + room);
      return;
    }
    const bool streams = model_.view() == TopView::events || model_.view() == TopView::logs;
    if (streams) {
      for (const std::string& line : top_stream(model_, look_, room, frame_.scroll_limit))
        add(line);
    } else {
      const auto lines = top_text(model_, look_);
      frame_.scroll_limit = lines.size() > room ? lines.size() - room : 0;
      const std::size_t first = std::min(model_.scroll(), frame_.scroll_limit);
      for (std::size_t i = first; i < lines.size() && i < first + room; ++i)
        add(lines[i]);
    }
    frame_.lines.resize(before + room);
  }

  [[nodiscard]] bool is_wide() const { return width_ >= top_wide_columns; }

  [[nodiscard]] std::string titles() const {
    std::string out = fit(model_.tree().sort() == TopSort::tree ? "  NAME" : "  PATH",
                          std::min(name_width(width_), width_));
    for (const Column& column : columns) {
      if (!column.wide_only || is_wide()) out += " " + fit(column.title, column.width);
    }
    return paint(cut(out + " REMARK", width_), Ink::faint, look_.color);
  }

  void tree(std::size_t room) {
    const auto& rows = model_.tree().rows();
    if (rows.empty()) {
      const bool filtered = model_.tree().is_known() && !model_.tree().filter().empty();
      if (room > 0) add(filtered ? "nothing matches; Esc shows all" : "waiting for the target");
      return;
    }
    for (std::size_t i = model_.first_row(); i < rows.size() && i < model_.first_row() + room; ++i)
      add(tree_row(rows[i], look_.has_keys && i == model_.selected_row()));
  }

  [[nodiscard]] std::string label(const TopTree::Row& row) const {
    const auto& node = model_.tree().node(row);
    if (model_.tree().sort() != TopSort::tree) return node.path;
    const std::size_t indent = std::min<std::size_t>(row.depth * 2, name_width(width_) / 2);
    const char* sign = " ";
    if (row.has_children && row.is_folded) sign = look_.unicode ? "▸" : "+";
    if (row.has_children && !row.is_folded) sign = look_.unicode ? "▾" : "-";
    return std::string(indent, ' ') + sign + " " + std::string(name_of(node.path));
  }

  [[nodiscard]] std::string tree_row(const TopTree::Row& tree_row, bool selected) const {
    const auto& node = model_.tree().node(tree_row);
    const bool color = look_.color && !selected;
    Row row(width_, color);
    row.add((selected ? ">" : " ") + label(tree_row), name_width(width_), Ink::plain);
    row.add(phase_word(node), columns[0].width, ink_of(node));
    const bool hurt = node.restarts.used > 0;
    row.add(restarts_of(node.restarts), columns[1].width, hurt ? Ink::busy : Ink::plain);
    row.add(node.pid ? std::to_string(*node.pid) : "", columns[2].width);
    row.add(age(node.since, model_.now()), columns[3].width);
    if (is_wide()) {
      row.add(node.resources ? short_span(node.resources->cpu_ms) : "", columns[4].width);
      row.add(node.resources ? short_bytes(node.resources->rss_bytes) : "", columns[5].width);
    }
    row.add_rest(remark_of(node, model_.now()), has_failed(node) ? Ink::bad : Ink::faint);
    return selected && look_.color ? "\x1b[7m" + row.line() + "\x1b[0m" : row.line();
  }

  [[nodiscard]] std::string state_line() const {
    const auto& tree = model_.tree();
    std::string out = ink(tree.is_known() ? tree.state() : "unknown", ink_of_state(tree.state()));
    std::string counts;
    for (const auto& [word, count] : tree.counts()) {
      if (count > 0 && word != "total") counts += "  " + std::to_string(count) + " " + word;
    }
    out += ink(counts, Ink::plain) + "  ";
    const auto lost = model_.lost_since();
    if (!lost) return out + ink("live", Ink::good);
    return ink("stale since " + age(*lost, model_.now()) + ", trying again", Ink::bad) + "  " +
           out + " " + ink(model_.lost_why(), Ink::faint);
  }

  [[nodiscard]] std::string bottom_line() const {
    if (const std::string question = model_.question(); !question.empty())
      return ink(question, Ink::strong);
    if (const auto draft = model_.draft()) {
      const std::string shown = "filter by path or phase: " + escape_controls(*draft);
      return ink(shown, Ink::strong) + "_";
    }
    if (!model_.note().text.empty())
      return ink(model_.note().text, model_.note().is_bad ? Ink::bad : Ink::strong);
    if (!model_.running().empty()) return ink(model_.running() + " ...", Ink::busy);
    return ink(keys(), Ink::faint);
  }

  [[nodiscard]] std::string keys() const {
    switch (model_.view()) {
      case TopView::tree:
        return model_.is_read_only()
                   ? "q quit  ? help  Enter detail  w why  / filter  s sort  space fold"
                   : "q quit  ? help  Enter detail  w why  r restart  S stop  / filter  s sort";
      case TopView::logs:
        return "q back  ? help  Tab next view  a all or selected  j k G scroll";
      case TopView::detail:
      case TopView::events:
      case TopView::why:
      case TopView::help:
        return "q back  ? help  Tab next view  j k g G scroll";
    }
    return "";
  }

  const TopModel& model_;
  const TopLook& look_;
  std::size_t width_;
  std::size_t rows_;
  TopFrame frame_;
};

}  // namespace

// Escapes of colours take no room; what is cut ends in a reset.
std::string cut_colored(std::string_view text, std::size_t width) {
  std::string plain;
  std::string out;
  bool colored = false;
  std::size_t used = 0;
  while (!text.empty()) {
    if (text.front() == '\x1b') {
      const std::size_t end = std::min(text.find('m'), text.size() - 1) + 1;
      out += text.substr(0, end);
      text.remove_prefix(end);
      colored = true;
      continue;
    }
    std::size_t size = 1;
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
      ++size;
    used += cell_width(text.substr(0, size));
    if (used > width) break;
    out += text.substr(0, size);
    text.remove_prefix(size);
  }
  if (!text.empty() && colored) out += "\x1b[0m";
  return out;
}

TopFrame render_top(const TopModel& model, const TopLook& look) {
  return Painter(model, look).frame();
}

}  // namespace espalier::cli
