#include "espalier/ipc/server/audit_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace espalier::ipc {
namespace {

using supervisor::UniqueFd;

// No record is longer: a request is at most a line, and its fields come once.
constexpr std::size_t longest_line = 16UL << 20U;

std::string reason(int error) {
  return std::generic_category().message(error);
}

std::string cannot_open(int error) {
  if (error == ELOOP)
    return "it is a symbolic link, and links are not followed; name the file itself";
  if (error == EISDIR) return "it is a folder; name a file in it";
  return reason(error) + "; name a file in a folder that exists and that this user may write to";
}

// Why an open file must not be trusted with the audit; empty: it may.
std::string distrust(int fd) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0) return reason(errno);
  if (!S_ISREG(info.st_mode)) return "it is no regular file; name another path";
  if (info.st_uid != ::geteuid()) {
    return "it belongs to user " + std::to_string(info.st_uid) + ", not to user " +
           std::to_string(::geteuid()) + " who runs this program; name another path";
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "others may write to it; check its content, then chmod go-w it";
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return reason(errno);
    return "another program writes to it; give each target an audit file of its own";
  }
  return {};
}

}  // namespace

expected<std::unique_ptr<AuditFile>, std::string> AuditFile::open(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    return unexpected<std::string>{"cannot use the audit file \"" + path + "\": " + why};
  };
  // O_NONBLOCK: a FIFO in its place must not make us wait.
  UniqueFd fd{::open(path.c_str(),
                     O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                     S_IRUSR | S_IWUSR)};
  if (!fd) return refuse(cannot_open(errno));
  if (auto why = distrust(fd.get()); !why.empty()) return refuse(why);
  std::unique_ptr<AuditFile> file{new AuditFile{std::move(fd)}};
  std::string rest;
  if (auto why = file->read_chain(rest); !why.empty()) return refuse(why);
  if (auto why = file->cut_torn(rest); !why.empty()) return refuse(why);
  return file;
}

std::string AuditFile::read_chain(std::string& rest) {
  std::array<char, 64UL * 1024> part = {};
  for (;;) {
    const auto count = ::read(fd_.get(), part.data(), part.size());
    if (count == 0) return {};
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return reason(errno);
    rest.append(part.data(), static_cast<std::size_t>(count));
    if (auto problem = add_lines(rest); !problem.empty()) {
      return "line " + std::to_string(chain_.head().sequence + 1) +
             " breaks its chain: " + std::move(problem) +
             "; somebody or something changed the file: keep it as evidence " +
             "under another name, and the next start begins a new one";
    }
  }
}

// Takes the whole lines from the front of `text`.
std::string AuditFile::add_lines(std::string& text) {
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const auto line = text.substr(begin, end - begin);
    if (auto problem = chain_.add(line); !problem.empty()) return problem;
    static_cast<void>(recent_.append(line));
    begin = end + 1;
  }
  text.erase(0, begin);
  size_ += static_cast<off_t>(begin);
  return text.size() > longest_line ? "it is longer than any record" : std::string{};
}

std::string AuditFile::cut_torn(const std::string& rest) {
  if (rest.empty()) return {};
  if (::ftruncate(fd_.get(), size_) != 0) {
    return "its last line has no end, and cannot be cut off (" + reason(errno) +
           "); end the chain yourself with: truncate --size=" + std::to_string(size_);
  }
  notice_ = "the audit file ended in the middle of a record, as after a power cut; its last " +
            std::to_string(rest.size()) + " bytes were cut off. What they were about was not done";
  return {};
}

bool AuditFile::append(const std::string& line) {
  if (has_rest_ && ::ftruncate(fd_.get(), size_) != 0) return false;
  has_rest_ = false;
  if (!is_as_we_left_it()) return false;
  const auto text = line + '\n';
  ssize_t count = 0;
  do {
    count = ::write(fd_.get(), text.data(), text.size());
  } while (count < 0 && errno == EINTR);
  if (std::cmp_not_equal(count, text.size()) || ::fdatasync(fd_.get()) != 0) {
    has_rest_ = ::ftruncate(fd_.get(), size_) != 0;
    return false;
  }
  size_ += count;
  static_cast<void>(recent_.append(line));
  return true;
}

bool AuditFile::is_as_we_left_it() const {
  struct stat info = {};
  return ::fstat(fd_.get(), &info) == 0 && info.st_nlink > 0 && info.st_size == size_;
}

}  // namespace espalier::ipc
