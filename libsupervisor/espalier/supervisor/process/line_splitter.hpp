#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace espalier::supervisor {

/// Cuts a byte stream into lines of at most `max_line` bytes. The start of a longer line is
/// delivered as truncated and the rest of it is skipped, so memory is bounded whatever comes.
///
/// The sink is called as sink(std::string line, bool truncated), lines without their newline.
class LineSplitter {
 public:
  static constexpr std::size_t max_line = 8 * 1024;

  template <class Sink>
  void feed(std::string_view bytes, Sink&& sink) {
    while (!bytes.empty()) {
      const auto newline = bytes.find('\n');
      const auto complete = newline != std::string_view::npos;
      add(bytes.substr(0, newline), sink);
      if (complete && !std::exchange(skipping_, false)) sink(std::exchange(line_, {}), false);
      bytes.remove_prefix(complete ? newline + 1 : bytes.size());
    }
  }

  /// The stream has ended: delivers a last line that had no newline.
  template <class Sink>
  void finish(Sink&& sink) {
    if (!line_.empty()) sink(std::exchange(line_, {}), false);
    skipping_ = false;
  }

 private:
  template <class Sink>
  void add(std::string_view part, Sink&& sink) {
    if (skipping_) return;
    const auto room = max_line - line_.size();
    line_.append(part.substr(0, room));
    if (part.size() <= room) return;
    skipping_ = true;
    sink(std::exchange(line_, {}), true);
  }

  std::string line_;
  bool skipping_ = false;
};

}  // namespace espalier::supervisor
