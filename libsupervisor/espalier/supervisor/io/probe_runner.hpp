#pragma once

#include "espalier/supervisor/core/child_factories.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/process/process_host.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// One question about one child: a probe or, where `spec` is null, whether all gates are free.
struct ProbeRequest {
  std::string path = {};  ///< Of the child; an exec probe sees it as ESPALIER_PATH.
  std::shared_ptr<const ProbeSpec> spec = {};
  std::vector<StartGate> gates = {};
  /// Called once on the runner's thread, unless the probe was cancelled; must be quick. `message`
  /// is for people and says what was found, well or not: "connect to 127.0.0.1:80: connection
  /// refused".
  std::function<void(bool ok, const std::string& message)> done = {};
};

using ProbeToken = std::uint64_t;

/// Asks from outside how children fare.
///
/// The problem: what is asked may answer late or never, and a probe must tell the truth even when
/// the children of the same program keep every thread they can get. So probes have one thread of
/// their own, which only ever waits; commands run in the process host; and functions run on up to
/// `max_function_threads` helper threads, of which one that hangs costs nobody else.
///
/// Every probe is answered within ProbeSpec::timeout, which must be positive; a command that has
/// not ended by then is killed, with its process group. Intervals, retries and delays are the
/// engine's. Gates are answered at once.
///
/// Thread rule: `start` and `cancel` may be called from any thread and never block.
class ProbeRunner {
 public:
  static constexpr std::size_t max_function_threads = 8;

  /// `host` is asked for when the first exec probe runs, and used until `end`. `factories` must
  /// not change while the runner lives.
  ProbeRunner(std::function<ProcessHost&()> host, const ChildFactories& factories);
  ~ProbeRunner();  ///< Ends it.
  ProbeRunner(const ProbeRunner&) = delete;
  ProbeRunner& operator=(const ProbeRunner&) = delete;

  ProbeToken start(ProbeRequest request);
  /// Ends it without an answer; one that is on its way may still come. Unknown: no effect.
  void cancel(ProbeToken token);

  /// Cancels all probes and ends the threads. The result names the children whose probe functions
  /// do not return: their threads stay until they do. Not for two threads at once.
  std::vector<std::string> end();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::supervisor
