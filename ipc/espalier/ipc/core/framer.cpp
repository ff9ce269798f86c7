#include "espalier/ipc/core/framer.hpp"

#include <algorithm>
#include <utility>

namespace espalier::ipc {

void Framer::feed(std::string_view bytes) {
  if (too_long_) return;
  make_room(bytes.size());
  buffer_.append(bytes);
  look();
  if (too_long_) forget();
}

std::optional<std::string_view> Framer::next() {
  while (!too_long_) {
    look();
    if (!has_line_ || too_long_) break;
    const std::string_view line{buffer_.data() + read_, scanned_ - read_};
    read_ = ++scanned_;
    has_line_ = false;
    if (!line.empty()) return line;
  }
  if (too_long_ || read_ == buffer_.size()) forget();
  return std::nullopt;
}

std::size_t Framer::unfinished() const {
  if (too_long_) return 0;
  if (scanned_ == buffer_.size()) return scanned_ - read_;
  const auto last = buffer_.rfind('\n');
  const auto begin = last == std::string::npos ? 0 : last + 1;
  return buffer_.size() - std::max(begin, read_);
}

// Finds the end of the next line. Every byte is looked at once, however the bytes come.
void Framer::look() {
  if (has_line_ || too_long_) return;
  const auto end = buffer_.find('\n', scanned_);
  has_line_ = end != std::string::npos;
  scanned_ = has_line_ ? end : buffer_.size();
  too_long_ = scanned_ - read_ > max_;
}

// A string would double its room; a connection may hold a line and no more than that.
void Framer::make_room(std::size_t bytes) {
  const auto left = buffer_.size() - read_;
  if (left + bytes <= buffer_.capacity()) {
    buffer_.erase(0, read_);
  } else {
    std::string larger;
    larger.reserve(std::max(left + bytes, std::min(2 * buffer_.capacity(), max_)));
    larger.append(buffer_, read_);
    buffer_ = std::move(larger);
  }
  scanned_ -= read_;
  read_ = 0;
}

void Framer::forget() {
  if (too_long_ || buffer_.capacity() > max_ + slack) {
    std::string{}.swap(buffer_);  // An assignment would keep the memory.
  } else {
    buffer_.clear();
  }
  read_ = 0;
  scanned_ = 0;
}

}  // namespace espalier::ipc
