#include "espalier/cli/pipeline/item_lines.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace espalier::cli {

expected<ItemLines, std::string> ItemLines::open(const std::string& path) {
  ItemLines lines;
  if (path != "-") {
    lines.own_ = supervisor::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    lines.fd_ = lines.own_.get();
  }
  lines.stop_ = supervisor::UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (lines.fd_ < 0 || !lines.stop_) {
    return unexpected<std::string>("cannot read " + path + ": " +
                                   std::generic_category().message(errno));
  }
  return expected<ItemLines, std::string>(std::move(lines));
}

void ItemLines::stop() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stop_.get(), &one, sizeof one));
}

bool ItemLines::read_more() {
  std::array<pollfd, 2> waiting = {{{fd_, POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
  }
  if (waiting[1].revents != 0) return false;
  std::array<char, 64 * 1024> bytes;
  const auto size = ::read(fd_, bytes.data(), bytes.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size < 0) problem_ = "reading the input failed: " + std::generic_category().message(errno);
  if (size <= 0) {
    at_end_ = true;
    return false;
  }
  buffer_.append(bytes.data(), static_cast<std::size_t>(size));
  return true;
}

void ItemLines::take_line(std::string text, std::vector<Line>& into) {
  ++count_;
  const bool rest_of_long = std::exchange(skipping_, false);
  if (!text.empty() && text.back() == '\r') text.pop_back();
  if (rest_of_long) {
    into.push_back({count_, {}, true});
  } else if (text.find_first_not_of(" \t") != std::string::npos) {
    into.push_back({count_, std::move(text), false});
  }
}

void ItemLines::take_lines(std::size_t most, std::vector<Line>& into) {
  while (into.size() < most) {
    const auto newline = buffer_.find('\n', scanned_);
    if (newline == std::string::npos) break;
    take_line(buffer_.substr(from_, newline - from_), into);
    from_ = scanned_ = newline + 1;
  }
  if (into.size() >= most) return;
  buffer_.erase(0, std::exchange(from_, 0));
  scanned_ = buffer_.size();
  if (scanned_ <= longest) return;
  skipping_ = true;
  buffer_.clear();
  scanned_ = 0;
}

std::vector<ItemLines::Line> ItemLines::next(std::size_t most) {
  std::vector<Line> lines;
  while (true) {
    take_lines(most, lines);
    if (!lines.empty() || at_end_) break;
    if (!read_more() && !at_end_) return lines;  // Stopped.
  }
  // A last line without its newline.
  if (lines.empty() && at_end_ && (!buffer_.empty() || skipping_))
    take_line(std::exchange(buffer_, {}), lines);
  return lines;
}

}  // namespace espalier::cli
