#include "espalier/ipc/server/runtime_folder.hpp"

#include "espalier/ipc/server/server.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace espalier::ipc {

std::string runtime_folder() {
  const char* given = std::getenv("XDG_RUNTIME_DIR");
  if (given != nullptr && given[0] == '/') return std::string{given} + "/espalier";
  if (::geteuid() == 0) return "/run/espalier";
  return "/tmp/espalier-" + std::to_string(::geteuid());
}

std::string make_runtime_folder(const std::string& folder) {
  const auto problem = [&](const std::string& why) {
    return "the folder " + folder + " for sockets " + why +
           "; set dashboard.path, or XDG_RUNTIME_DIR to a folder of your own";
  };
  const auto system = [&](const char* what) {
    return problem(what + std::generic_category().message(errno));
  };
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return system("cannot be made: ");
  // Anybody may have made a folder or a link of this name in /tmp before us.
  const supervisor::UniqueFd fd{
      ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd) return system("cannot be used: ");
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) return system("cannot be used: ");
  if (found.st_uid != ::geteuid()) {
    return problem("belongs to user " + std::to_string(found.st_uid));
  }
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) return problem("can be written to by others");
  return {};
}

}  // namespace espalier::ipc
