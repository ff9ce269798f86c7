#pragma once

#include <csignal>

namespace espalier::cli {

/// While it lives, Ctrl-C does not end the program but makes `was_pressed` true, so that what is
/// followed can be closed in order. One at a time in a program.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] bool was_pressed() const;

 private:
  struct sigaction before_ = {};
};

/// True where nobody reads standard output any more: a pipe whose other end is closed.
[[nodiscard]] bool is_output_closed();

}  // namespace espalier::cli
