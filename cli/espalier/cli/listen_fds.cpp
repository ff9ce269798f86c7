#include "espalier/cli/listen_fds.hpp"

#include "espalier/cli/taken_variable.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

namespace espalier::cli {
namespace {

using supervisor::UniqueFd;

constexpr int first_fd = 3;  ///< By the protocol; the others follow it.
constexpr int most_fds = 64;

std::optional<long> number(const std::string& text) {
  long value = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

std::vector<std::string> names(const std::string& text, std::size_t count) {
  std::vector<std::string> all;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ':');)
    all.push_back(word);
  all.resize(count, "unknown");
  return all;
}

unexpected<std::string> refused(const std::string& what) {
  return unexpected<std::string>("sockets from the service manager: " + what);
}

}  // namespace

expected<ListenFds, std::string> ListenFds::take() {
  const std::string count_text = take_variable("LISTEN_FDS");
  const std::string pid = take_variable("LISTEN_PID");
  const std::string names_text = take_variable("LISTEN_FDNAMES");
  ListenFds result;
  if (count_text.empty() || number(pid) != getpid()) return result;
  const auto count = number(count_text);
  if (!count || *count < 0 || *count > most_fds) {
    return refused("LISTEN_FDS is '" + count_text + "' instead of a number up to " +
                   std::to_string(most_fds));
  }
  const auto named = names(names_text, static_cast<std::size_t>(*count));
  std::vector<UniqueFd> fds;
  for (int fd = first_fd; fd < first_fd + *count; ++fd) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return refused("LISTEN_FDS says " + count_text + ", but descriptor " + std::to_string(fd) +
                     " is not open");
    }
    fds.emplace_back(fd);
  }
  const auto for_figures = std::count(named.begin(), named.end(), "metrics");
  const bool alone = *count - for_figures == 1;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    const bool for_metrics = named[i] == "metrics";
    if (!for_metrics && named[i] != "espalier" && !alone) {
      return refused("nothing here takes the one named '" + named[i] +
                     "'; in its socket unit say FileDescriptorName=espalier or =metrics");
    }
    UniqueFd& place = for_metrics ? result.metrics : result.tree;
    if (place) return refused("there are two named '" + named[i] + "', and one can be used");
    place = std::move(fds[i]);
  }
  return result;
}

}  // namespace espalier::cli
