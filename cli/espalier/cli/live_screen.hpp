#pragma once

#include "espalier/cli/tree_view.hpp"
#include "espalier/supervisor/core/event.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace espalier::cli {

/// A TreeView that several threads feed and read.
class TreeFeed final : public supervisor::EventSink, public supervisor::OutputSink {
 public:
  explicit TreeFeed(const supervisor::SupervisorSpec& root) : view_(root) {}
  void publish(const supervisor::Event& event) override;
  void write(const supervisor::OutputLine& line) override;
  void note(const std::string& text);

  [[nodiscard]] std::vector<std::string> render(const Canvas& canvas) const;
  [[nodiscard]] std::string status_line() const;
  [[nodiscard]] bool is_up() const;
  [[nodiscard]] bool is_stopping() const;

 private:
  mutable std::mutex mutex_;
  TreeView view_;
};

/// Shows a TreeFeed on a terminal: the alternate screen, redrawn from a thread of its own at most
/// ten times a second and only where it changed. The terminal is put back by `close`, by the
/// destructor, and when the program dies of a fatal signal. One at a time in a program.
class LiveScreen {
 public:
  struct Options {
    bool color = true;
    bool unicode = true;
  };
  LiveScreen(const TreeFeed& feed, Options options);
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  /// The terminal has another size now; redraws all of it. Any thread.
  void resized();
  /// Ends the thread and puts the terminal back. Safe to call twice.
  void close();

 private:
  void run();
  void draw();

  const TreeFeed& feed_;
  Options options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool closing_ = false;
  std::atomic<bool> redraw_all_ = true;
  std::vector<std::string> shown_;
  std::thread thread_;
};

}  // namespace espalier::cli
