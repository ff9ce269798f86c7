#include "espalier/ipc/server/log_ring.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace espalier::ipc {

namespace {

std::size_t size_of(const KeptLine& kept) {
  return kept.line.message.size() + kept.line.path.size() + sizeof(KeptLine);
}

}  // namespace

LogRing::LogRing(std::size_t capacity, std::shared_ptr<supervisor::OutputSink> next)
    : capacity_(std::max<std::size_t>(capacity, 1)), next_(std::move(next)) {}

void LogRing::write(const supervisor::OutputLine& line) {
  if (next_) next_->write(line);
  KeptLine kept;
  kept.line = {.at = std::chrono::system_clock::now(),
               .path = line.path,
               .generation = line.generation,
               .stream = line.is_stderr ? LogStream::err : LogStream::out,
               .message = line.text};
  if (line.truncated) kept.line.truncated = true;
  const std::lock_guard lock{mutex_};
  kept.position = end_++;
  bytes_ += size_of(kept);
  lines_.push_back(std::move(kept));
  while (lines_.size() > capacity_ || bytes_ > max_bytes) {
    bytes_ -= size_of(lines_.front());
    lines_.pop_front();
  }
  if (const auto wake = wake_.lock()) (*wake)();
}

LinePage LogRing::read_from(std::uint64_t position, std::size_t limit) const {
  const std::lock_guard lock{mutex_};
  LinePage page;
  const auto first = end_ - lines_.size();
  const auto from = std::clamp(position, first, end_);
  page.lost = from > position ? from - position : 0;
  page.next = from + std::min<std::uint64_t>(limit, end_ - from);
  const auto at = [&](std::uint64_t x) {
    return lines_.begin() + static_cast<std::ptrdiff_t>(x - first);
  };
  page.lines.assign(at(from), at(page.next));
  return page;
}

std::uint64_t LogRing::end() const {
  const std::lock_guard lock{mutex_};
  return end_;
}

std::shared_ptr<void> LogRing::on_line(std::function<void()> wake) {
  auto result = std::make_shared<std::function<void()>>(std::move(wake));
  const std::lock_guard lock{mutex_};
  wake_ = result;
  return result;
}

}  // namespace espalier::ipc
