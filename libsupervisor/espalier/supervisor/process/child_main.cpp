#include "espalier/supervisor/process/child_main.hpp"

#include "espalier/supervisor/process/copy_context.hpp"
#include "espalier/supervisor/process/copy_link.hpp"
#include "espalier/supervisor/process/crash_report.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

namespace espalier {

namespace sv = supervisor;

namespace {

/// The only thing of this library that lives outside an object of the user's: it must exist
/// before main does. Nothing but RegisteredChild changes it.
sv::ChildFactories& registry() {
  static sv::ChildFactories instance;
  return instance;
}

/// The socket to the supervisor where this is a copy. What a copy starts must neither take itself
/// for one nor hold the socket.
std::optional<int> take_socket(int argc, char** argv) {
  if (argc < 2 || std::strncmp(argv[1], sv::copy_argument, std::strlen(sv::copy_argument)) != 0) {
    return {};
  }
  const char* const told = std::getenv(sv::copy_variable);
  const bool is_told = told != nullptr && std::strcmp(told, sv::copy_fd_text) == 0;
  ::unsetenv(sv::copy_variable);
  struct stat about = {};
  if (!is_told || ::fstat(sv::copy_fd, &about) != 0 || !S_ISSOCK(about.st_mode)) return {};
  ::fcntl(sv::copy_fd, F_SETFD, FD_CLOEXEC);
  return sv::copy_fd;
}

sv::wire::Ended call(const sv::BlockingFunction& function, sv::ChildContext& context) {
  try {
    function(context);
    return {};
  } catch (const sv::ChildFailure& failure) {
    return {sv::ExitKind::failed, failure.category(), failure.what()};
  } catch (const std::exception& other) {
    return {sv::ExitKind::panicked, sv::FailureCategory::panic, other.what()};
  } catch (...) {
    return {sv::ExitKind::panicked, sv::FailureCategory::panic,
            "threw something that is not a std::exception"};
  }
}

int run_copy(int socket, const sv::ChildFactories& factories) {
  const auto told = sv::CopyContext::receive(socket);
  if (!told) return EXIT_FAILURE;  // The supervisor is gone.
  auto& context = *told;
  const auto* const function = factories.find_blocking(context.factory());
  if (function == nullptr) {
    context.send(sv::wire::Ended{sv::ExitKind::failed, sv::FailureCategory::fatal_config,
                                 "child_main knows no blocking function named '" +
                                     context.factory() +
                                     "'; register it before the first line of main, or hand "
                                     "child_main the factories it is in"});
    return EXIT_FAILURE;
  }
  sv::report_crashes_to(socket);
  context.send(sv::wire::Running{});
  const auto how = call(*function, context);
  context.send(how);
  return how.kind == sv::ExitKind::completed ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

std::optional<int> child_main(int argc, char** argv, const sv::ChildFactories& factories) {
  const auto socket = take_socket(argc, argv);
  if (!socket) return std::nullopt;
  return run_copy(*socket, factories);
}

std::optional<int> child_main(int argc, char** argv) {
  return child_main(argc, argv, registry());
}

RegisteredChild::RegisteredChild(const std::string& name, sv::BlockingFunction run) {
  registry().add_blocking(name, std::move(run));
}

sv::ChildFactories registered_children() {
  return registry();
}

}  // namespace espalier
