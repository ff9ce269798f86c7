#include "espalier/pipeline/show/display.hpp"

#include "espalier/pipeline/show/internal/terminal.hpp"
#include "espalier/pipeline/show/render.hpp"

#include <algorithm>
#include <chrono>

namespace espalier::pipeline {
namespace {

using Lines = std::vector<std::string>;
using internal::Terminal;

void write_lines(int fd, const Lines& lines) {
  std::string out;
  for (const std::string& line : lines)
    out += line + "\n";
  internal::write_all(fd, out);
}

class JsonDisplay final : public DashboardProtocol {
 public:
  explicit JsonDisplay(int fd) : fd_(fd) {}
  void on_start(const std::string& name, std::optional<std::uint64_t> total) override {
    DashboardView view;
    view.snapshot.name = name;
    view.total = total;
    say(view, "start");
  }
  void on_update(const DashboardView& view) override { say(view, "update"); }
  void on_finish(const DashboardView& view, const ErrorSummary& summary) override {
    DashboardView last = view;
    last.errors = summary;
    say(last, "finish");
  }

 private:
  void say(const DashboardView& view, const std::string& word) const {
    write_lines(fd_, {json_line(view, word, std::chrono::system_clock::now())});
  }
  int fd_;
};

/// Where pictures cannot be redrawn.
class PlainDisplay final : public DashboardProtocol {
 public:
  PlainDisplay(const DisplayOptions& options, bool reports)
      : fd_(options.fd), interval_(options.line_interval), reports_(reports) {}
  void on_start(const std::string& /*name*/, std::optional<std::uint64_t> /*total*/) override {
    said_ = Duration::zero();
  }
  void on_update(const DashboardView& view) override {
    if (view.elapsed - said_ < interval_) return;
    said_ = view.elapsed;
    write_lines(fd_, {plain_line(view)});
  }
  void on_finish(const DashboardView& view, const ErrorSummary& summary) override {
    Lines lines = {last_line(view)};
    if (reports_ && summary.total_failed > 0) {
      for (std::string& line : error_report(summary))
        lines.push_back(std::move(line));
    }
    write_lines(fd_, lines);
  }

 private:
  int fd_;
  Duration interval_;
  bool reports_;
  Duration said_ = {};
};

struct Picture {
  std::string word = {};
  Lines (*draw)(const DashboardView&, const Canvas&) = nullptr;
  Terminal::Where where = Terminal::Where::here;
  bool reports = false;  ///< Of errors, at the end.
};

Lines progress_picture(const DashboardView& view, const Canvas& canvas) {
  return {progress_line(view, canvas)};
}

const std::vector<Picture>& pictures() {
  static const std::vector<Picture> all = {
      {"progress", progress_picture},
      {"compact", compact_picture},
      {"detailed", detailed_picture, Terminal::Where::here, true},
      {"full", full_picture, Terminal::Where::alone, true},
  };
  return all;
}

class ScreenDisplay final : public DashboardProtocol {
 public:
  ScreenDisplay(const DisplayOptions& options, const Picture& picture)
      : fd_(options.fd),
        color_(options.color.value_or(internal::wants_color(options.fd))),
        picture_(picture),
        terminal_(options.fd, picture.where) {}
  void on_start(const std::string& /*name*/, std::optional<std::uint64_t> /*total*/) override {}
  void on_update(const DashboardView& view) override { draw(view); }
  void on_finish(const DashboardView& view, const ErrorSummary& summary) override {
    if (picture_.where == Terminal::Where::here) draw(view);
    terminal_.close();
    Lines lines = {last_line(view)};
    if (picture_.reports && summary.total_failed > 0) {
      for (std::string& line : error_report(summary))
        lines.push_back(std::move(line));
    }
    write_lines(fd_, lines);
  }

 private:
  void draw(const DashboardView& view) {
    Canvas canvas = internal::canvas_of(fd_);
    canvas.color = color_;
    terminal_.draw(picture_.draw(view, canvas));
  }
  int fd_;
  bool color_;
  Picture picture_;
  Terminal terminal_;
};

std::string unknown_word(std::string_view word) {
  std::string text = "there is no display \"" + std::string(word) + "\"; take one of ";
  const auto& words = display_words();
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + words[i];
  return text;
}

}  // namespace

const std::vector<std::string>& display_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> out;
    for (const Picture& picture : pictures())
      out.push_back(picture.word);
    out.emplace_back("json");
    return out;
  }();
  return words;
}

expected<std::shared_ptr<DashboardProtocol>, std::string> make_display(std::string_view word,
                                                                       DisplayOptions options) {
  if (word == "json") return std::make_shared<JsonDisplay>(options.fd);
  const auto picture = std::find_if(pictures().begin(), pictures().end(),
                                    [&](const Picture& each) { return each.word == word; });
  if (picture == pictures().end()) return unexpected<std::string>(unknown_word(word));
  if (!options.screen.value_or(internal::is_screen(options.fd)))
    return std::make_shared<PlainDisplay>(options, picture->reports);
  return std::make_shared<ScreenDisplay>(options, *picture);
}

}  // namespace espalier::pipeline
