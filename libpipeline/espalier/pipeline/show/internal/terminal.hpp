#pragma once

#include "espalier/pipeline/show/render.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::pipeline::internal {

/// True where a picture can be redrawn.
[[nodiscard]] bool is_screen(int fd);
/// NO_COLOR respected.
[[nodiscard]] bool wants_color(int fd);
/// What the terminal has room for now; 80 x 24 where nobody knows.
[[nodiscard]] Canvas canvas_of(int fd);
/// All of it, unless the reader has gone.
void write_all(int fd, std::string_view text);

/// Draws pictures over each other. The terminal is put back by `close` and by the destructor.
class Terminal {
 public:
  enum class Where : std::uint8_t {
    here,   ///< Below what is there already; the last picture stays.
    alone,  ///< On the alternate screen, which goes.
  };
  Terminal(int fd, Where where) : fd_(fd), where_(where) {}
  ~Terminal() { close(); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void draw(const std::vector<std::string>& lines);
  /// Safe to call twice.
  void close();

 private:
  int fd_;
  Where where_;
  bool open_ = false;
  std::size_t height_ = 0;  ///< Lines of the last picture.
};

}  // namespace espalier::pipeline::internal
