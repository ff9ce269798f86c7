#include <espalier/supervisor.hpp>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <iostream>
#include <thread>

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

int main() {
  // Before any thread is there, so that every thread inherits it and sigwait gets the signals.
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGINT);
  sigaddset(&stops, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stops, nullptr);

  sv::ChildFactories factories;
  factories.add_blocking("work", [](sv::ChildContext& self) {
    while (self.sleep_for(100ms))
      self.report_alive();
    std::cout << self.path() << " tidies up" << std::endl;
  });
  sv::SupervisorSpec tree;
  tree.children = {{.name = "worker", .kind = sv::ChildKind::blocking, .factory = "work"}};
  const auto handle = sv::Supervisor::start(tree, factories);
  if (!handle) return std::cerr << handle.error().message << '\n', 1;

  // Ctrl-C ends it; here a thread sends SIGTERM after a second, so that the example ends alone.
  std::thread impatient{[] {
    std::this_thread::sleep_for(1s);
    kill(getpid(), SIGTERM);
  }};
  std::thread waiter{[&] {
    int signal = 0;
    while (sigwait(&stops, &signal) == 0) {
      std::cout << "signal " << signal << (handle->is_alive() ? ": stopping" : "") << std::endl;
      if (!handle->request_shutdown({"signal", strsignal(signal)})) handle->abort();
      if (handle->join_for(10s)) return;
    }
  }};
  const auto& result = handle->join();
  impatient.join();
  waiter.join();
  return result.kind == sv::TreeResult::Kind::stopped ? 0 : 1;
}
