#include "espalier/supervisor/process/guardian.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <system_error>

namespace espalier::supervisor {

namespace {

enum class Word : int { began, ended, goodbye };

struct Message {
  Word word = Word::goodbye;
  pid_t group = 0;
};

/// Smaller than PIPE_BUF, so it is never cut. SIGPIPE is the caller's to block; a guardian that is
/// gone cannot be helped.
void say(int fd, Message message) {
  while (::write(fd, &message, sizeof message) < 0 && errno == EINTR) {
  }
}

[[noreturn]] void guard(int from) {
  ::prctl(PR_SET_NAME, "espalier-guard");
  ::setpgid(0, 0);  // The signals a terminal sends are for the supervisor.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
    ::signal(number, SIG_IGN);
  // Whoever reads our output must not wait for the guardian's copies of it.
  const int words = ::fcntl(from, F_DUPFD_CLOEXEC, 4);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; ++fd)
    ::dup2(null, fd);
  ::dup2(words, 3);
  ::close_range(4, ~0U, 0);
  std::set<pid_t> groups;
  for (Message message;;) {
    const auto size = ::read(3, &message, sizeof message);
    if (size < 0 && errno == EINTR) continue;
    if (size != static_cast<ssize_t>(sizeof message)) break;
    if (message.word == Word::goodbye) ::_exit(0);
    if (message.word == Word::began) groups.insert(message.group);
    if (message.word == Word::ended) groups.erase(message.group);
  }
  for (const auto group : groups)
    ::kill(-group, SIGKILL);
  ::_exit(0);
}

}  // namespace

std::shared_ptr<Guardian> Guardian::start() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw std::system_error{errno, std::generic_category(), "cannot open the guardian's pipe"};
  }
  UniqueFd from{ends[0]};
  UniqueFd to{ends[1]};
  const auto pid = ::fork();
  if (pid < 0) {
    throw std::system_error{errno, std::generic_category(), "cannot start the guardian"};
  }
  if (pid == 0) {
    to.reset();
    guard(from.get());
  }
  return std::shared_ptr<Guardian>{new Guardian{pid, std::move(to)}};
}

Guardian::~Guardian() {
  say(to_.get(), {Word::goodbye, 0});
  to_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Guardian::group_began(pid_t group) {
  say(to_.get(), {Word::began, group});
}

void Guardian::group_ended(pid_t group) {
  say(to_.get(), {Word::ended, group});
}

}  // namespace espalier::supervisor
