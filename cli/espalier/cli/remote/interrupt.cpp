#include "espalier/cli/remote/interrupt.hpp"

#include <poll.h>
#include <unistd.h>

namespace espalier::cli {
namespace {

volatile std::sig_atomic_t pressed = 0;

void note(int) {
  pressed = 1;
}

}  // namespace

Interrupt::Interrupt() {
  pressed = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_);
}

Interrupt::~Interrupt() {
  sigaction(SIGINT, &before_, nullptr);
}

bool Interrupt::was_pressed() const {
  return pressed != 0;
}

bool is_output_closed() {
  pollfd out = {.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLNVAL)) != 0;
}

}  // namespace espalier::cli
