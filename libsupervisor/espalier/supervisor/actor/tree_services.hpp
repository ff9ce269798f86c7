#pragma once

#include "espalier/supervisor/actor/admission_desk.hpp"
#include "espalier/supervisor/actor/census.hpp"
#include "espalier/supervisor/actor/tree_directory.hpp"
#include "espalier/supervisor/core/child_factories.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/probe_sink.hpp"
#include "espalier/supervisor/io/io_pool.hpp"
#include "espalier/supervisor/io/probe_runner.hpp"
#include "espalier/supervisor/process/process_host.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// What all supervisors of one tree share. Set up before the first one starts; after that only
/// what is safe from any thread is used.
class TreeServices {
 public:
  std::vector<std::shared_ptr<EventSink>> sinks = {};
  std::shared_ptr<OutputSink> output = {};
  std::shared_ptr<ProbeSink> probe_sink = {};
  ChildFactories factories = {};
  std::shared_ptr<std::atomic<std::uint64_t>> sequence =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::shared_ptr<Census> census = std::make_shared<Census>();
  std::shared_ptr<TreeDirectory> directory = std::make_shared<TreeDirectory>();
  std::shared_ptr<AdmissionDesk> admission = {};  ///< Null: every restart goes at once.
  std::atomic<bool> stopping = false;             ///< The root has been told to stop.
  std::uint64_t epoch = 0;
  std::uint64_t seed = 1;
  bool subreaper = false;
  std::shared_ptr<Guardian> guardian = {};
  std::optional<std::uint64_t> open_files = {};

  /// Begins with the first process child: a tree without one has no host thread.
  [[nodiscard]] ProcessHost& host();
  /// Null while there was no process child.
  [[nodiscard]] ProcessHost* host_if_any();
  /// Ends the host's thread; only when no supervisor is left.
  void end_host();

  /// Runs coroutines; begins with the first async child.
  [[nodiscard]] IoPool& io();
  /// Begins with the first probe or gate. Has a thread of its own: what coroutines do to theirs
  /// must not make other children seem unwell.
  [[nodiscard]] ProbeRunner& probes();
  /// Ends both, only when no supervisor is left and before the host ends.
  struct IoEnd {
    bool clean = true;                     ///< False: a coroutine keeps its thread.
    std::vector<std::string> probes = {};  ///< Paths of probe functions that do not return.
  };
  IoEnd end_io();

  void publish(const Event& event) const;

 private:
  std::mutex mutex_;
  std::unique_ptr<ProcessHost> host_;
  std::unique_ptr<IoPool> io_;
  std::unique_ptr<ProbeRunner> probes_;  // Last: it uses the host.
};

}  // namespace espalier::supervisor
