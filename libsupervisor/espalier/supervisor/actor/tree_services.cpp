#include "espalier/supervisor/actor/tree_services.hpp"

#include <utility>

namespace espalier::supervisor {

ProcessHost& TreeServices::host() {
  const std::lock_guard lock{mutex_};
  if (!host_) {
    host_ = std::make_unique<ProcessHost>(ProcessHost::Options{subreaper, guardian, open_files});
  }
  return *host_;
}

ProcessHost* TreeServices::host_if_any() {
  const std::lock_guard lock{mutex_};
  return host_.get();
}

void TreeServices::end_host() {
  std::unique_ptr<ProcessHost> host;
  const std::lock_guard lock{mutex_};
  host = std::exchange(host_, nullptr);
}

IoPool& TreeServices::io() {
  constexpr std::size_t io_threads = 2;
  const std::lock_guard lock{mutex_};
  if (!io_) io_ = std::make_unique<IoPool>(io_threads, "espalier-io");
  return *io_;
}

ProbeRunner& TreeServices::probes() {
  const std::lock_guard lock{mutex_};
  if (!probes_) {
    probes_ = std::make_unique<ProbeRunner>([this]() -> ProcessHost& { return host(); }, factories);
  }
  return *probes_;
}

TreeServices::IoEnd TreeServices::end_io() {
  std::unique_ptr<IoPool> io;
  std::unique_ptr<ProbeRunner> probes;
  {
    const std::lock_guard lock{mutex_};
    io = std::exchange(io_, nullptr);
    probes = std::exchange(probes_, nullptr);
  }
  IoEnd result;
  if (probes) result.probes = probes->end();
  if (io) result.clean = io->end(std::chrono::milliseconds{500});
  return result;
}

void TreeServices::publish(const Event& event) const {
  for (const auto& sink : sinks) {
    try {
      sink->publish(event);
    } catch (...) {  // Who observes a tree must not be able to end it.
    }
  }
}

}  // namespace espalier::supervisor
