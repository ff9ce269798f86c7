#include "espalier/supervisor/runtime/registry_file.hpp"

#include "espalier/supervisor/os/read_file.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace espalier::supervisor {

namespace {

std::string failed(const std::string& what, const std::string& path, int error = errno) {
  return what + " " + path + " failed: " + std::generic_category().message(error);
}

std::optional<std::string> write_all(int fd, const std::string& path, const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto n = ::write(fd, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("writing", path);
    at += static_cast<std::size_t>(n);
  }
  if (::fsync(fd) != 0) return failed("writing", path);
  return {};
}

// A new name is on the disk only once its folder is.
std::optional<std::string> sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  const UniqueFd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return failed("writing the folder", folder);
  return {};
}

std::optional<std::string> write_to(const std::string& path, const std::string& text, int flags) {
  const UniqueFd fd{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, S_IRUSR | S_IWUSR)};
  if (fd.get() < 0) return failed("opening", path);
  return write_all(fd.get(), path, text);
}

}  // namespace

expected<std::string, std::string> read_whole(const std::string& path, std::size_t largest) {
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (status.type() == std::filesystem::file_type::not_found) return std::string{};
  if (!std::filesystem::is_regular_file(status)) {
    return unexpected<std::string>(path + " is no regular file; name one, or remove it");
  }
  const auto text = read_file(path, largest);
  if (!text) return unexpected<std::string>(failed("reading", path, text.error()));
  if (text->size() > largest) {
    return unexpected<std::string>(path + " is larger than " + std::to_string(largest >> 20U) +
                                   " MiB; move it away");
  }
  return *text;
}

std::optional<std::string> replace_file(const std::string& path, const std::string& text) {
  const auto fresh = path + ".new";
  if (auto problem = write_to(fresh, text, O_TRUNC)) return problem;
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed("replacing", path);
  return sync_folder_of(path);
}

std::optional<std::string> append_to_file(const std::string& path, const std::string& text) {
  if (auto problem = write_to(path, text, O_APPEND)) return problem;
  return sync_folder_of(path);
}

expected<std::string, std::string> put_aside(const std::string& path) {
  constexpr int most = 1000;
  for (int i = 1; i < most; ++i) {
    const auto aside = path + ".bad" + (i == 1 ? "" : "." + std::to_string(i));
    std::error_code fault;
    if (std::filesystem::exists(aside, fault)) continue;
    std::filesystem::rename(path, aside, fault);
    if (fault) return unexpected<std::string>("moving " + path + " failed: " + fault.message());
    return aside;
  }
  return unexpected<std::string>("there are too many files " + path + ".bad; remove some");
}

}  // namespace espalier::supervisor
