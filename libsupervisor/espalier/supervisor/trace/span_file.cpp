#include "espalier/supervisor/trace/span_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace espalier::supervisor {

namespace {

constexpr mode_t usual_mode = 0640;

std::string fault(const std::string& what) {
  return what + ": " + std::generic_category().message(errno);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

SpanOutlet::Outcome SpanFile::append(const std::string& request) {
  using Kind = SpanOutlet::Outcome::Kind;
  const auto line = request + '\n';
  if (auto why = make_ready(line.size()); !why.empty()) return {Kind::later, std::move(why)};
  if (write_all(fd_.get(), line)) {
    size_ += line.size();
    return {};
  }
  auto why = fault("cannot write \"" + path_ + "\"");
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) why += "; its last line is torn";
  fd_.reset();
  return {Kind::later, std::move(why)};
}

std::string SpanFile::make_ready(std::uint64_t bytes) {
  if (!is_ours()) {
    if (auto why = open(); !why.empty()) return why;
  }
  if (size_ == 0 || size_ + bytes <= max_bytes_) return {};
  if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) {
    return fault("cannot rename \"" + path_ + "\" to \"" + path_ + ".1\"");
  }
  return open();
}

bool SpanFile::is_ours() const {
  struct stat at_path = {};
  struct stat opened = {};
  return fd_.get() >= 0 && ::stat(path_.c_str(), &at_path) == 0 &&
         ::fstat(fd_.get(), &opened) == 0 && at_path.st_ino == opened.st_ino &&
         at_path.st_dev == opened.st_dev;
}

std::string SpanFile::open() {
  fd_ = UniqueFd{::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, usual_mode)};
  struct stat opened = {};
  if (fd_.get() < 0 || ::fstat(fd_.get(), &opened) != 0) {
    return fault("cannot open \"" + path_ + "\"");
  }
  size_ = static_cast<std::uint64_t>(opened.st_size);
  return {};
}

}  // namespace espalier::supervisor
