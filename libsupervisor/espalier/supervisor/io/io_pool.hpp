#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace espalier::supervisor {

/// A few threads that run one Asio I/O context, for work that waits much and computes little.
///
/// The problem: a thousand children that wait must not cost a thousand threads, and none of them
/// may keep the pool from ending. Work that only waits costs no thread, and what it holds is
/// destroyed when the pool ends. Work that blocks or never suspends keeps one of the few threads;
/// once it has them all nothing else of the pool runs.
///
/// Thread rule: `context` may be called from any thread, `end` from one, which is none of the
/// pool's.
class IoPool {
 public:
  /// The threads are called `name`-0, `name`-1 (15 bytes are shown) and take no signals. Throws
  /// std::system_error when there is no thread to be had.
  explicit IoPool(std::size_t threads, const std::string& name);
  ~IoPool();  ///< Ends it, at most one second of waiting.
  IoPool(const IoPool&) = delete;
  IoPool& operator=(const IoPool&) = delete;

  /// What is posted after the end is never run. Whoever keeps it keeps memory, not threads.
  [[nodiscard]] std::shared_ptr<boost::asio::io_context> context() const;

  /// Runs nothing further, joins the threads and destroys what still waits. False: a thread is
  /// kept by work that does not return within `limit`; it is left alone and cleans up itself when
  /// that returns. Once ended, a further call only repeats the answer.
  bool end(Duration limit);

 private:
  class Core;
  std::shared_ptr<Core> core_;
  std::vector<std::thread> threads_;
  bool clean_ = true;
};

}  // namespace espalier::supervisor
