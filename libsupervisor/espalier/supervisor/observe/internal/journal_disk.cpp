#include "espalier/supervisor/observe/internal/journal_disk.hpp"

#include "espalier/supervisor/observe/internal/line_file.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

namespace espalier::supervisor::internal {
namespace {

constexpr mode_t file_mode = 0640;
constexpr mode_t folder_mode = 0750;
constexpr mode_t parent_mode = 0777;  // As the umask of the program wants it.

int result_of(int returned) {
  return returned == 0 ? 0 : errno;
}

int sync_names_in(const std::filesystem::path& folder) {
  const auto path = folder.empty() ? std::filesystem::path{"."} : folder;
  const UniqueFd open{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return open ? result_of(::fsync(open.get())) : errno;
}

// Whether it worked shows when the lock in it is taken. A folder whose own name is not safe may be
// gone after a loss of power, with all that was synced in it.
void make_folder(const std::filesystem::path& folder, mode_t mode) {
  if (::mkdir(folder.c_str(), mode) != 0) {
    if (errno != ENOENT || !folder.has_parent_path()) return;
    make_folder(folder.parent_path(), parent_mode);
    if (::mkdir(folder.c_str(), mode) != 0) return;
  }
  static_cast<void>(sync_names_in(folder.parent_path()));
}

class RealFile final : public JournalDisk::File {
 public:
  explicit RealFile(UniqueFd fd) : fd_(std::move(fd)) {}
  JournalDisk::Written append(std::string_view bytes) override {
    const auto written = write_all(fd_.get(), bytes);
    return {written, written == bytes.size() ? 0 : errno};
  }
  int cut(std::uint64_t size) override {
    return result_of(::ftruncate(fd_.get(), static_cast<off_t>(size)));
  }
  int sync() override { return result_of(::fdatasync(fd_.get())); }
  [[nodiscard]] bool has_name() const override {
    struct stat info = {};
    return ::fstat(fd_.get(), &info) == 0 && info.st_nlink > 0;
  }

 private:
  UniqueFd fd_;
};

class RealDisk final : public JournalDisk {
 public:
  explicit RealDisk(std::string folder) : folder_(std::move(folder)) {
    while (folder_.size() > 1 && folder_.ends_with('/'))
      folder_.pop_back();
  }

  int enter() override {
    make_folder(folder_, folder_mode);
    lock_ = UniqueFd{::open((folder_ + "/lock").c_str(),
                            O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, file_mode)};
    return lock_ ? result_of(::flock(lock_.get(), LOCK_EX | LOCK_NB)) : errno;
  }
  void leave() override { lock_.reset(); }

  [[nodiscard]] expected<std::vector<JournalSegment>, int> list() const override {
    return list_segments(folder_);
  }
  [[nodiscard]] expected<std::unique_ptr<std::istream>, int> read(
      const std::string& path) const override {
    std::unique_ptr<std::istream> input = std::make_unique<std::ifstream>(path, std::ios::binary);
    if (!*input) return unexpected<int>{errno};
    return input;
  }
  expected<std::unique_ptr<File>, int> open(const std::string& path, Open how) override {
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    UniqueFd fd{::open(path.c_str(), how == Open::create ? flags | O_CREAT : flags, file_mode)};
    if (!fd) return unexpected<int>{errno};
    return std::make_unique<RealFile>(std::move(fd));
  }
  int remove(const std::string& path) override { return result_of(::unlink(path.c_str())); }
  int sync_folder() override { return sync_names_in(folder_); }

 private:
  std::string folder_;
  UniqueFd lock_ = {};
};

}  // namespace

std::shared_ptr<JournalDisk> disk_of(std::string folder) {
  return std::make_shared<RealDisk>(std::move(folder));
}

}  // namespace espalier::supervisor::internal
