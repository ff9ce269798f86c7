#include "espalier/ipc/server/resources.hpp"

#include "espalier/supervisor/os/read_file.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <sstream>
#include <string>

namespace espalier::ipc {

namespace {

constexpr std::size_t largest = 4096;

// The name of the program stands in parentheses and may hold anything, parentheses too; what comes
// after the last one are numbers.
std::optional<double> cpu_ms(const std::string& stat) {
  const auto end = stat.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream fields{stat.substr(end + 1)};
  std::string skipped;
  for (int field = 3; field <= 13; ++field)
    fields >> skipped;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  if (!(fields >> user >> system)) return {};
  const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return static_cast<double>(user + system) * 1000.0 / per_second;
}

std::optional<std::uint64_t> rss_bytes(const std::string& statm) {
  std::istringstream fields{statm};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (!(fields >> size >> resident)) return {};
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::uint64_t> count_fds(const std::string& folder) {
  struct Close {
    void operator()(DIR* dir) const { ::closedir(dir); }
  };
  const std::unique_ptr<DIR, Close> dir{::opendir(folder.c_str())};
  if (!dir) return {};  // Of another user.
  struct stat found {};
  if (::fstat(::dirfd(dir.get()), &found) == 0 && found.st_size > 0) {
    return static_cast<std::uint64_t>(found.st_size);  // Newer kernels tell it at once.
  }
  std::uint64_t count = 0;
  while (const auto* entry = ::readdir(dir.get()))
    count += entry->d_name[0] != '.' ? 1 : 0;
  return count;
}

}  // namespace

std::optional<ResourceInfo> read_resources(std::int64_t pid) {
  const auto base = "/proc/" + std::to_string(pid);
  const auto stat = supervisor::read_file(base + "/stat", largest);
  const auto statm = supervisor::read_file(base + "/statm", largest);
  if (!stat || !statm) return {};
  const auto cpu = cpu_ms(*stat);
  const auto rss = rss_bytes(*statm);
  if (!cpu || !rss) return {};
  return ResourceInfo{.cpu_ms = *cpu, .rss_bytes = *rss, .fds = count_fds(base + "/fd")};
}

}  // namespace espalier::ipc
