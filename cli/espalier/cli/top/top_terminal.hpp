#pragma once

#include "espalier/cli/top/top_model.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// The terminal while the dashboard has it: raw keys, the alternate screen. It is put back by
/// `close`, by the destructor, and when the program dies of a fatal signal. SIGINT, SIGTERM and
/// SIGHUP are only noted, so that it is put back in order. One at a time in a program.
class TopTerminal {
 public:
  /// `wake`: an eventfd that is written when a signal has come.
  explicit TopTerminal(int wake);
  ~TopTerminal();
  TopTerminal(const TopTerminal&) = delete;
  TopTerminal& operator=(const TopTerminal&) = delete;

  /// Writes what has changed since the last picture, or `all` of it.
  void draw(std::vector<std::string> lines, bool all);
  /// Bytes that were typed; `is_closed` once nobody can type any more.
  [[nodiscard]] std::string read();
  [[nodiscard]] bool is_closed() const { return closed_; }
  [[nodiscard]] bool was_resized();
  [[nodiscard]] int end_signal() const;  ///< 0: none has come.
  void close();

  /// Of standard output; 80 x 24 where that is not known.
  [[nodiscard]] static TopSize size();

 private:
  std::vector<std::string> shown_;
  bool closed_ = false;
};

}  // namespace espalier::cli
