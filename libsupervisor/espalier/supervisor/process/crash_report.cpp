#include "espalier/supervisor/process/crash_report.hpp"

#include "espalier/supervisor/process/copy_wire.hpp"

#include <execinfo.h>
#include <signal.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace espalier::supervisor {

namespace {

constexpr std::array crash_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// A signal handler has no other way to know anything.
std::atomic<int> report_socket = -1;
std::atomic_flag crashed = ATOMIC_FLAG_INIT;

// Not on the heap, which may be what is broken; large enough for the unwinder.
constexpr std::size_t stack_size = std::size_t{128} * 1024;
alignas(64) std::array<std::byte, stack_size> handler_stack = {};

std::uint64_t stack_pointer(const void* context) {
  [[maybe_unused]] const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uint64_t>(machine.gregs[REG_RSP]);
#elif defined(__aarch64__)
  return machine.sp;
#else
  return 0;
#endif
}

std::uint64_t program_counter(const void* context) {
  [[maybe_unused]] const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uint64_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return machine.pc;
#else
  return 0;
#endif
}

void restore_default(int number) {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(number, &standard, nullptr);
}

void on_crash(int number, siginfo_t* info, void* context) {
  if (crashed.test_and_set()) {
    // Another thread is telling already and ends us all.
    for (;;)
      ::pause();
  }
  // Should the trace get stuck on a lock that the crash left locked, this ends it.
  restore_default(SIGALRM);
  ::alarm(3);
  const int socket = report_socket.load();
  wire::CrashPacket packet = {};
  const auto size =
      wire::encode_crash({number, info->si_code, reinterpret_cast<std::uintptr_t>(info->si_addr),
                          stack_pointer(context)},
                         packet);
  ::send(socket, packet.data(), size, MSG_NOSIGNAL);
  constexpr int max_frames = 64;
  void* frames[max_frames] = {};
  const int count = ::backtrace(frames, max_frames);
  // What lies above the crash is ours: this function, the return from the signal, a sanitizer's.
  int own_frames = 2;
  for (int i = 0; i < count; ++i) {
    if (reinterpret_cast<std::uintptr_t>(frames[i]) == program_counter(context)) own_frames = i;
  }
  if (count > own_frames) ::backtrace_symbols_fd(frames + own_frames, count - own_frames, socket);
  restore_default(number);
  // Waits, being blocked, until this handler returns.
  ::raise(number);
}

}  // namespace

void report_crashes_to(int socket) {
  report_socket = socket;
  // The first call loads libgcc, which a handler must not.
  void* frame = nullptr;
  ::backtrace(&frame, 1);
  stack_t stack = {};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  ::sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  // A crash within the handler is then fatal at once.
  for (const int number : crash_signals)
    ::sigaddset(&action.sa_mask, number);
  for (const int number : crash_signals)
    ::sigaction(number, &action, nullptr);
}

}  // namespace espalier::supervisor
