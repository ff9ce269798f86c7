#include "espalier/supervisor/os/read_file.hpp"

#include "espalier/supervisor/os/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace espalier::supervisor {

expected<std::string, int> read_file(const std::string& path, std::size_t largest) {
  constexpr std::size_t piece = 64UL * 1024;
  const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return unexpected<int>(errno);
  std::string text;
  while (text.size() <= largest) {
    const auto before = text.size();
    text.resize(before + std::min(piece, largest + 1 - before));
    const auto count = ::read(fd.get(), text.data() + before, text.size() - before);
    const int error = errno;
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) break;
    if (count < 0 && error != EINTR) return unexpected<int>(error);
  }
  return text;
}

}  // namespace espalier::supervisor
