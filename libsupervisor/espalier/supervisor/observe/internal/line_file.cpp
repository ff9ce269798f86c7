#include "espalier/supervisor/observe/internal/line_file.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace espalier::supervisor::internal {

void Gap::add(const Gap& other) {
  if (other.dropped == 0) return;
  from = dropped == 0 ? other.from : std::min(from, other.from);
  to = std::max(to, other.to);
  dropped += other.dropped;
}

LineFile::~LineFile() {
  ::close(fd_);
}

void LineFile::end_line(const Gap& if_lost) {
  text_ += '\n';
  lines_.push_back({text_.size(), if_lost});
}

Gap LineFile::write() {
  if (torn_ && write_all(fd_, "\n") == 1) torn_ = false;
  const auto written = torn_ ? 0 : write_all(fd_, text_);
  Gap lost;
  for (const auto& line : lines_) {
    if (line.end > written) lost.add(line.if_lost);
  }
  if (written != 0) torn_ = text_[written - 1] != '\n';
  text_.clear();
  lines_.clear();
  return lost;
}

std::size_t write_all(int fd, std::string_view bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto n = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (n > 0) {
      written += static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      pollfd writable{fd, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  return written;
}

}  // namespace espalier::supervisor::internal
