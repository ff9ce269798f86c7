#pragma once

#include "espalier/supervisor/os/unique_fd.hpp"
#include "espalier/supervisor/process/copy_link.hpp"
#include "espalier/supervisor/process/launch_plan.hpp"
#include "espalier/supervisor/process/line_splitter.hpp"
#include "espalier/supervisor/process/notify_socket.hpp"
#include "espalier/supervisor/process/process_host.hpp"

#include <sys/types.h>

#include <memory>
#include <span>
#include <utility>

namespace espalier::supervisor {

/// One stream of a process' output: the read end of its pipe.
class OutputPipe {
 public:
  explicit OutputPipe(bool is_stderr) : is_stderr_{is_stderr} {}
  /// Takes the read end.
  void open(UniqueFd fd) { fd_ = std::move(fd); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// One read of at most `buffer`; false at the end of the stream. Does not block.
  [[nodiscard]] bool read_once(std::span<char> buffer, ProcessListener& listener);
  /// Reads what is in the pipe now, not what others still write, and delivers the last line.
  void finish(std::span<char> buffer, ProcessListener& listener);
  void close() { fd_.reset(); }

 private:
  UniqueFd fd_;
  bool is_stderr_;
  LineSplitter lines_;
};

/// A process from launch to exit and all that belongs to it. Used on the host's thread only.
class RunningProcess {
 public:
  /// Starts it. Where that fails the listener has heard why, and the result is null.
  [[nodiscard]] static std::unique_ptr<RunningProcess> launch(LaunchRequest request,
                                                              const HostWorld& world,
                                                              ProcessToken token);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] int notify_fd() const { return notify_.fd(); }
  [[nodiscard]] OutputPipe& out() { return out_; }
  [[nodiscard]] OutputPipe& err() { return err_; }
  /// Null for a command.
  [[nodiscard]] CopyLink* link() { return link_.get(); }
  [[nodiscard]] ProcessListener& listener() { return *request_.listener; }

  /// Delivers at most `most` waiting notify messages.
  void read_notifications(int most);
  void stop();
  void abort();
  void suspend();
  void resume();
  /// It had its time to call child_main, or to end.
  void run_out_of_patience();
  /// True once the leader is gone; it stays a zombie, so that its group cannot be another's.
  [[nodiscard]] bool has_ended() const;
  /// Ends the rest of the group, delivers what is still to be read and reaps the leader.
  /// Requires has_ended().
  [[nodiscard]] ExitRecord finish(std::span<char> buffer);

 private:
  RunningProcess(LaunchRequest request, NotifySocket notify)
      : request_{std::move(request)}, notify_{std::move(notify)} {}
  /// Signals the group; the leader alone where it has moved to another group.
  void signal_group(int number) const;

  LaunchRequest request_;
  NotifySocket notify_;
  std::unique_ptr<CopyLink> link_;
  OutputPipe out_{false};
  OutputPipe err_{true};
  pid_t pid_ = -1;
  uid_t uid_ = 0;
  UniqueFd pidfd_;
};

}  // namespace espalier::supervisor
